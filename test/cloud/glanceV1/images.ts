import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { addLocation, checkUrl, copyLater, read, upload } from "./data.ts";
import { badRequest, forbidden, HttpError } from "./errors.ts";
import { list } from "./list.ts";
import { apply, fromHeaders, fromJson, type Metadata, toHeaders, toJson } from "./metadata.ts";
import { type Image, timestamp } from "./state.ts";
import { type Caller, caller, findImage, ownImage, type World } from "./world.ts";

/** GET, POST /v1/images; GET /v1/images/detail; HEAD, GET, PUT, DELETE /v1/images/{id} */
export function imageRoutes(app: FastifyInstance, world: World): void {
  const { state } = world;

  app.get("/v1/images", request => ({
    images: list(world, request).map(({ id, name, disk_format, container_format, size, checksum }) => {
      return { id, name, disk_format, container_format, size, checksum };
    }),
  }));

  app.get("/v1/images/detail", request => ({ images: list(world, request).map(toJson) }));

  app.head("/v1/images/:id", (request, reply) => {
    const image = findImage(world, request, caller(world, request));
    return reply.headers(toHeaders(image)).header("location", `/v1/images/${image.id}`).send();
  });

  app.get("/v1/images/:id", async (request, reply) => {
    const image = findImage(world, request, caller(world, request));
    const data = await read(world, image);
    reply.headers(toHeaders(image)).header("content-length", image.size);
    return reply.type("application/octet-stream").send(data);
  });

  app.post("/v1/images", async (request, reply) => {
    const who = caller(world, request);
    const given = metadata(request);
    const data = body(request);
    checkSources(given, data);
    const id = given.id ?? randomUUID();
    if (state.images.some(it => it.id === id)) throw new HttpError(409, `Image with identifier ${id} already exists!`);
    const now = timestamp(world.clock());
    const image: Image = {
      id,
      name: null,
      status: "queued",
      disk_format: null,
      container_format: null,
      size: 0,
      checksum: null,
      is_public: false,
      protected: false,
      min_ram: 0,
      min_disk: 0,
      owner: who.projectId,
      virtual_size: null,
      deleted: false,
      deleted_at: null,
      created_at: now,
      updated_at: now,
      properties: {},
      members: [],
    };
    change(world, image, who, who.admin ? given : withoutOwner(given), true);
    state.images.push(image);
    world.changed();
    await addData(world, request, image, given, data);
    if (
      image.status === "queued" &&
      given.size === 0 &&
      image.disk_format &&
      image.container_format &&
      !image.copyFrom
    ) {
      await upload(world, image, Readable.from([]), {});
    }
    reply.header("location", `/v1/images/${id}`);
    if (image.checksum) reply.header("etag", image.checksum);
    return reply.status(201).send({ image: toJson(image) });
  });

  app.put("/v1/images/:id", async (request, reply) => {
    const who = caller(world, request);
    const { id } = request.params as { id: string };
    if (state.images.some(it => it.id === id && it.deleted && it.owner === who.projectId)) {
      throw forbidden("Forbidden to update deleted image.");
    }
    const image = ownImage(world, request, who);
    const given = metadata(request);
    const data = body(request);
    checkSources(given, data);
    if ((data || given.location || given.copy_from) && image.status !== "queued") {
      throw new HttpError(409, "Cannot upload to an unqueued image");
    }
    if (given.owner !== undefined && given.owner !== image.owner && !who.admin) {
      throw forbidden("You are not permitted to modify 'owner' on this image.");
    }
    const json = isJson(request);
    // An upload leaves them as they are, whatever the header says.
    const purge =
      !json && !data && String(request.headers["x-glance-registry-purge-props"] ?? "true").toLowerCase() !== "false";
    change(world, image, who, given, purge);
    image.updated_at = timestamp(world.clock());
    world.changed();
    await addData(world, request, image, given, data);
    if (image.checksum) reply.header("etag", image.checksum);
    return { image: toJson(image) };
  });

  app.delete("/v1/images/:id", async (request, reply) => {
    const image = ownImage(world, request, caller(world, request));
    if (image.protected) throw forbidden("Image is protected");
    const now = timestamp(world.clock());
    Object.assign(image, { status: "deleted", deleted: true, deleted_at: now, updated_at: now, members: [] });
    world.changed();
    await world.blobs.remove(image.id);
    return reply.status(200).send();
  });
}

/** Applies metadata to an image as a whole, or not at all. */
function change(world: World, image: Image, who: Caller, given: Metadata, purge: boolean) {
  if (given.is_public && !image.is_public && !who.admin && world.settings.publicImages === "admin") {
    throw forbidden("You are not authorized to complete publicize_image action.");
  }
  const { checksum, ...fields } = given;
  const changed = structuredClone(image);
  apply(changed, fields, purge);
  protect(world, image.properties, changed.properties, who);
  Object.assign(image, changed);
}

/** Glance's property protections. A value that stays as it is isn't a change. @throws HttpError 403 */
function protect(world: World, before: Image["properties"], after: Image["properties"], who: Caller): void {
  if (who.admin) return;
  const protections = world.settings.adminProperties.map(pattern => new RegExp(pattern));
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (before[name] === after[name] || !protections.some(pattern => pattern.test(name))) continue;
    throw forbidden(`Property '${name}' is protected`);
  }
}

function withoutOwner({ owner, ...rest }: Metadata): Metadata {
  return rest;
}

/** Adds data to a queued image, from where the request says. */
async function addData(
  world: World,
  request: FastifyRequest,
  image: Image,
  given: Metadata,
  data: Readable | undefined,
) {
  if (!data && given.location === undefined && given.copy_from === undefined) return;
  const fail = (message: string) => {
    image.status = "killed";
    world.changed();
    return badRequest(message);
  };
  if (!image.disk_format) throw fail("Disk format is not specified.");
  if (!image.container_format) throw fail("Container format is not specified.");
  if (given.copy_from !== undefined) {
    image.copyFrom = given.copy_from;
    world.changed();
    copyLater(world, image);
  } else if (given.location !== undefined) {
    await addLocation(world, image, given.location);
  } else if (data) {
    const type = request.headers["content-type"];
    if (type !== undefined && !type.startsWith("application/octet-stream")) {
      throw fail("Content-Type must be application/octet-stream");
    }
    await upload(world, image, data, { size: given.size ?? declaredSize(request), checksum: given.checksum });
  }
}

function checkSources(given: Metadata, data: Readable | undefined) {
  const url = given.location ?? given.copy_from;
  if (url === undefined) return;
  if (data) throw badRequest("It's invalid to provide multiple image sources.");
  checkUrl(url);
}

function declaredSize(request: FastifyRequest): number | undefined {
  const length = request.headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

const isJson = (request: FastifyRequest) => /^application\/json\b/i.test(request.headers["content-type"] ?? "");

/** JSON has an image in it (openstacksdk); else metadata is in the headers. */
function metadata(request: FastifyRequest): Metadata {
  return isJson(request) && request.body ? fromJson(request.body) : fromHeaders(request.headers);
}

/** The request's data, if it has any. */
function body(request: FastifyRequest): Readable | undefined {
  return request.body instanceof Readable && request.headers["content-length"] !== "0" ? request.body : undefined;
}
