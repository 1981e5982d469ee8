import type { IncomingMessage, ServerResponse } from "node:http";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Blobs } from "../blobs.ts";
import { enforce, type ImageApi, mustOwn, pause } from "./api.ts";
import { mustBeData } from "./body.ts";
import { HttpError, StateConflict } from "./errors.ts";
import { detectFormats, FormatMismatch, virtualSizeFor } from "./formats.ts";
import { type Caller, type Image, transition } from "./state.ts";

const MIB = 1024 * 1024;

/** Data that is larger than an image may be. */
class TooLarge extends Error {}

/**
 * PUT /v2/images/{id}/file. What others change on the image while the data comes in is lost when it is in, as in Glance;
 * a client that goes away leaves the image `queued`. Data of another format leaves it `queued` too, but with that data's
 * digests, and every further upload to it ends in 500.
 * @throws HttpError 400, 403, 404, 409, 410, 413, 415
 */
export async function upload(api: ImageApi, caller: Caller, id: string, request: IncomingMessage): Promise<void> {
  mustBeData(request);
  const size = announcedSize(request);
  enforce(api, "image_size_total", caller.projectId, Math.floor((size ?? 0) / MIB));
  const store = storeOf(api, request);
  const image = api.repo.get(id, caller);
  mustOwn(image, caller, "upload_image");
  transition(image, "saving");
  await pause(api.settings.saveDelay);
  try {
    api.repo.save(image, "queued");
  } catch (error) {
    throw isGone(error) ? gone(id) : error;
  }
  try {
    enforce(api, "image_count_uploading", caller.projectId, 0);
    await storeData(api, image, store, request, size);
  } catch (error) {
    restore(api, image);
    throw refusalOf(error);
  }
  image.status = "active";
  try {
    api.repo.save(image, "saving");
  } catch (error) {
    await api.stores[store]?.remove(id);
    throw isGone(error) ? gone(id) : error;
  }
}

/**
 * Puts data into a store, and what is now known of it into the image (a copy, to be saved).
 * @param size bytes that must come, when known
 * @throws HttpError 400 when it is another number, 500 where there is data already, TooLarge, FormatMismatch, and
 * whatever the source throws
 */
export async function storeData(
  api: ImageApi,
  image: Image,
  store: string,
  source: Readable,
  size: number | undefined,
): Promise<void> {
  const blobs = storeNamed(api, store);
  // Data that was refused for its format is never cleared away: the image can take no other after it.
  const hasLeftOver = (await blobs.size(image.id)) !== undefined;
  if (hasLeftOver || (image.status === "saving" && image.locations.length)) throw new HttpError(500);
  const arriving = `${image.id}.arriving`;
  const info = await blobs.write(arriving, source, ["md5", "sha512"], [new Limit(api.settings.imageSizeCap, size)]);
  if (size && size !== info.size) {
    await blobs.remove(arriving);
    throw new HttpError(400, `Size mismatch: expected ${size} bytes, got ${info.size} bytes`);
  }
  await blobs.rename(arriving, image.id);
  image.size = info.size;
  image.checksum = info.digests.md5 ?? null;
  if (api.dialect.hashes) {
    image.os_hash_algo = "sha512";
    image.os_hash_value = info.digests.sha512 ?? null;
  }
  image.locations.push({ store, url: `file://${blobs.path(image.id)}` });
  if (image.container_format === "bare" && api.settings.formatCheck) {
    const detected = await detectFormats(blobs.path(image.id));
    image.virtual_size = virtualSizeFor(image.disk_format ?? "", detected, info.size);
  }
}

/**
 * PUT /v2/images/{id}/stage: keeps data until an import takes it.
 * @throws HttpError 400, 403, 404, 409, 410, 413, 415
 */
export async function stage(api: ImageApi, caller: Caller, id: string, request: IncomingMessage): Promise<void> {
  mustBeData(request);
  const size = announcedSize(request);
  enforce(api, "image_stage_total", caller.projectId, Math.floor((size ?? 0) / MIB));
  api.stagingUsed = true;
  const image = api.repo.get(id, caller);
  mustOwn(image, caller, "modify_image");
  transition(image, "uploading");
  await pause(api.settings.saveDelay);
  try {
    api.repo.save(image, "queued");
  } catch (error) {
    throw error instanceof StateConflict ? new HttpError(409, error.message) : error;
  }
  try {
    enforce(api, "image_count_uploading", caller.projectId, 0);
    const info = await api.staging.write(id, request, [], [new Limit(api.settings.imageSizeCap, size)]);
    if (size && size !== info.size) {
      await api.staging.remove(id);
      throw new HttpError(400, `Size mismatch: expected ${size} bytes, got ${info.size} bytes`);
    }
    image.size = info.size;
  } catch (error) {
    restore(api, image);
    throw refusalOf(error);
  }
  try {
    api.repo.save(image, "uploading");
  } catch (error) {
    await api.staging.remove(id);
    throw error instanceof StateConflict ? new HttpError(404, `No image found with ID ${id}`) : error;
  }
}

/** Back to `queued`, unless somebody deleted the image meanwhile. */
function restore(api: ImageApi, image: Image): void {
  transition(image, "queued");
  try {
    api.repo.save(image);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

const isGone = (error: unknown) => error instanceof StateConflict || (error instanceof HttpError && error.code === 404);

const gone = (id: string) =>
  new HttpError(
    410,
    `Image ${id} could not be found after upload. The image may have been deleted during the upload, cleaning up the chunks uploaded.`,
  );

function refusalOf(error: unknown): unknown {
  if (error instanceof TooLarge) return new HttpError(413, `The incoming image is too large: ${error.message}`);
  if (error instanceof FormatMismatch) return new HttpError(415, { detail: error.message });
  return error;
}

/** The size that the client says the data has, in bytes. @throws HttpError 400 when it isn't a number */
function announcedSize(request: IncomingMessage): number | undefined {
  const header = request.headers["x-openstack-image-size"] ?? request.headers["content-length"];
  if (header === undefined) return undefined;
  const size = Number(header);
  if (!Number.isInteger(size)) throw new HttpError(400, "Invalid or missing image size in request headers.");
  return size || undefined;
}

function storeOf(api: ImageApi, request: IncomingMessage): string {
  const [otherwise = ""] = api.dialect.stores;
  if (!api.dialect.multiStore) return otherwise;
  const wanted = request.headers["x-image-meta-store"]?.toString() ?? otherwise;
  if (!api.dialect.stores.includes(wanted)) throw new HttpError(400, unknownStore(wanted));
  return wanted;
}

/** How Glance says that there is no such store. */
export const unknownStore = (store: string) => `Store for identifier ${store} not found`;

/** @throws Error for a store that the service doesn't have */
export function storeNamed(api: ImageApi, name: string): Blobs {
  const blobs = api.stores[name];
  if (!blobs) throw new Error(unknownStore(name));
  return blobs;
}

/** Ends a stream that grows beyond what images may have, or beyond what was announced. */
class Limit extends Transform {
  readonly #limit: number;
  readonly #announced: number | undefined;
  #size = 0;

  constructor(limit: number, announced: number | undefined) {
    super();
    this.#limit = limit;
    this.#announced = announced;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: Error | null, chunk?: Buffer) => void) {
    this.#size += chunk.length;
    if (this.#size > this.#limit) done(new TooLarge("The limit of image_size_cap was exceeded."));
    else if (this.#announced !== undefined && this.#size > this.#announced) {
      done(new HttpError(400, `Size exceeds: expected ${this.#announced} bytes, got ${this.#size} bytes`));
    } else done(null, chunk);
  }
}

/** GET /v2/images/{id}/file. @throws HttpError 204 without data, 400, 403, 404, 416 */
export async function download(
  api: ImageApi,
  caller: Caller,
  id: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const image = api.repo.get(id, caller);
  if (image.status === "deactivated" && !caller.isAdmin) {
    throw new HttpError(403, "The requested image has been deactivated. Image data download is forbidden.");
  }
  const [location] = image.locations;
  if (!location || image.size === null) throw new HttpError(204);
  const { size } = image;
  const range = parseRange(request.headers.range, size);
  const length = range ? range.end - range.start + 1 : size;
  response.writeHead(range ? 206 : 200, {
    "content-type": "application/octet-stream",
    "content-length": length,
    ...(image.checksum && { "content-md5": image.checksum }),
    ...(range && { "content-range": `bytes ${range.start}-${range.end}/${size}` }),
    "x-openstack-request-id": `req-${crypto.randomUUID()}`,
  });
  if (length === 0) {
    response.end();
    return;
  }
  try {
    await pipeline(storeNamed(api, location.store).read(id, range), response);
  } catch (error) {
    // Nobody is left to be told: the head is out, and the connection gone.
    api.log(`download of ${id} ended early: ${(error as Error).message}`);
  }
}

/** One range of bytes, both ends inclusive. @throws HttpError 400 for more than one, 416 for what doesn't lie in the data */
function parseRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  if (header === undefined) return undefined;
  if (header.includes(",")) {
    throw new HttpError(
      400,
      "Requests with multiple ranges are not supported in Glance. You may make multiple single-range requests instead.",
    );
  }
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  const [, first = "", last = ""] = match ?? [];
  if (!match || (first === "" && last === "") || (first !== "" && last !== "" && Number(first) > Number(last))) {
    throw new HttpError(416, { detail: "Invalid Range header." });
  }
  if (first === "") return { start: Math.max(0, size - Number(last)), end: size - 1 };
  const start = Number(first);
  if (start >= size) {
    throw new HttpError(416, {
      detail: `Invalid start position in Range header. Start position MUST be in the inclusive range [0, ${size - 1}].`,
    });
  }
  return { start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}
