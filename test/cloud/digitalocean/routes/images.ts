import type { FastifyInstance } from "fastify";
import { forbidden, notFound, unprocessable } from "../errors.ts";
import { paged } from "../page.ts";
import { REGIONS } from "../regions.ts";
import { applyTag, ensureTag, type Image, removeImage, tagsOf, timestamp } from "../state.ts";
import { caller, idParam, objectBody, param, query, route, visibleImage, type World } from "../world.ts";
import { tagName } from "./tags.ts";

/** Known distributions; any other text is accepted and stored as Unknown. */
const DISTRIBUTIONS = [
  "Arch Linux",
  "CentOS",
  "CoreOS",
  "Debian",
  "Fedora",
  "Fedora Atomic",
  "FreeBSD",
  "Gentoo",
  "openSUSE",
  "RancherOS",
  "Rocky Linux",
  "Ubuntu",
  "Unknown",
];

/** GET, POST /v2/images; GET, PUT, DELETE /v2/images/{id} */
export function imageRoutes(app: FastifyInstance, world: World): void {
  const { state } = world;

  route(app, "GET", "/v2/images", request => {
    const account = caller(world, request);
    const filter = query(request);
    if (filter.type !== undefined && filter.type !== "application" && filter.type !== "distribution") {
      throw unprocessable("type must be application or distribution.");
    }
    const images = state.images.filter(image => {
      const own = image.owner === account.uuid;
      if (!own && image.owner !== null) return false;
      if (filter.private === "true" && !own) return false;
      if (filter.type !== undefined && (own || (filter.type === "application") !== Boolean(image.application)))
        return false;
      return (
        filter.tag_name === undefined || (own && tagsOf(state, "image", String(image.id)).includes(filter.tag_name))
      );
    });
    return paged(request, "images", images, image => wireImage(world, image));
  });

  route(app, "POST", "/v2/images", (request, reply) => {
    const account = caller(world, request);
    const body = objectBody(request);
    const name = text(body.name, "name");
    const url = imageUrl(body.url);
    const region = availableRegion(body.region);
    const tags = tagNames(body.tags);
    const image: Image = {
      id: state.nextId++,
      owner: account.uuid,
      name,
      type: "custom",
      distribution: body.distribution === undefined ? "Unknown" : distribution(body.distribution),
      slug: null,
      regions: [],
      created_at: timestamp(world.clock()),
      min_disk_size: null,
      size_gigabytes: null,
      description: optionalText(body.description, "description") ?? "",
      status: "NEW",
      error_message: "",
      source: { url, region },
    };
    state.images.push(image);
    for (const tag of tags) applyTag(ensureTag(state, account.uuid, tag), "image", String(image.id));
    world.changed();
    world.beginImport(image);
    const { id, created_at, description, distribution: system, error_message, regions, type, status } = image;
    const created = {
      id,
      name,
      created_at,
      description,
      distribution: system,
      error_message,
      regions,
      type,
      tags: tagsOf(state, "image", String(id)),
      status,
    };
    return reply.status(202).send({ image: created });
  });

  route(app, "GET", "/v2/images/:image", request => {
    const account = caller(world, request);
    const key = param(request, "image");
    if (/^\d+$/.test(key)) return { image: wireImage(world, visibleImage(world, account, idParam(request, "image"))) };
    const image = state.images.find(it => it.owner === null && it.slug === key);
    if (!image) throw notFound();
    return { image: wireImage(world, image) };
  });

  route(app, "PUT", "/v2/images/:image", request => {
    const image = ownImage(world, request);
    const body = objectBody(request);
    const name = body.name === undefined ? image.name : text(body.name, "name");
    const description = optionalText(body.description, "description") ?? image.description;
    const system = body.distribution === undefined ? image.distribution : distribution(body.distribution);
    if (image.type !== "custom" && (description !== image.description || system !== image.distribution)) {
      throw unprocessable("Only a custom image's description and distribution can be updated.");
    }
    Object.assign(image, { name, description, distribution: system });
    world.changed();
    return { image: wireImage(world, image) };
  });

  route(app, "DELETE", "/v2/images/:image", (request, reply) => {
    removeImage(state, ownImage(world, request));
    world.changed();
    return reply.status(204).send();
  });
}

/** An image as every answer but that to its creation has it. */
export function wireImage(world: World, image: Image) {
  const {
    id,
    name,
    type,
    slug,
    regions,
    created_at,
    min_disk_size,
    size_gigabytes,
    description,
    status,
    error_message,
  } = image;
  return {
    id,
    name,
    type,
    distribution: image.distribution,
    slug,
    public: image.owner === null,
    regions,
    created_at,
    min_disk_size,
    size_gigabytes,
    description,
    tags: tagsOf(world.state, "image", String(id)),
    status,
    error_message,
  };
}

/**
 * The image of the path, which must be the caller's own.
 * @throws ApiError 404, or 403 for a public image
 */
export function ownImage(world: World, request: Parameters<typeof caller>[1]): Image {
  const account = caller(world, request);
  const image = visibleImage(world, account, idParam(request, "image"));
  if (image.owner !== account.uuid) throw forbidden();
  return image;
}

/**
 * A region's slug that images can go to.
 * @throws ApiError 422
 */
export function availableRegion(value: unknown): string {
  const region = REGIONS.get(text(value, "region"));
  if (!region?.available) throw unprocessable("Region is not valid.");
  return region.slug;
}

function imageUrl(value: unknown): string {
  const url = text(value, "url");
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol !== "http:" && protocol !== "https:") throw unprocessable("url must be an http or https address.");
  return url;
}

function distribution(value: unknown): string {
  const name = text(value, "distribution");
  return DISTRIBUTIONS.includes(name) ? name : "Unknown";
}

function tagNames(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw unprocessable("tags must be a list of names.");
  return value.map(tagName);
}

function text(value: unknown, field: string): string {
  if (typeof value !== "string" || value.trim() === "")
    throw unprocessable(`${field} must be a text that is not empty.`);
  return value;
}

function optionalText(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw unprocessable(`${field} must be a text.`);
  return value;
}
