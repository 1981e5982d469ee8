import { Readable } from "node:stream";
import { badRequest, HttpError } from "./errors.ts";
import { type Image, timestamp } from "./state.ts";
import type { World } from "./world.ts";

/**
 * Takes an image's data from a request. What goes wrong leaves the image killed.
 * @param declared the size and checksum that the request promised
 * @throws HttpError 400 for another size or checksum
 */
export async function upload(
  world: World,
  image: Image,
  data: Readable,
  declared: { size?: number | undefined; checksum?: string | undefined },
): Promise<void> {
  image.status = "saving";
  world.changed();
  try {
    await store(world, image, data, declared);
  } catch (error) {
    kill(world, image);
    if (error instanceof HttpError) throw error;
    throw badRequest(`Error reading the image data: ${(error as Error).message}`);
  }
}

async function store(
  world: World,
  image: Image,
  data: Readable,
  declared: { size?: number | undefined; checksum?: string | undefined },
) {
  const { size, digests } = await world.blobs.write(image.id, data, ["md5"]);
  const checksum = digests.md5 ?? null;
  if (declared.size !== undefined && declared.size !== size) {
    throw badRequest(
      `Supplied size (${declared.size}) and size generated from uploaded image (${size}) did not match. Setting image status to 'killed'.`,
    );
  }
  if (declared.checksum && declared.checksum !== checksum) {
    throw badRequest(
      `Supplied checksum (${declared.checksum}) and checksum generated from uploaded image (${checksum}) did not match. Setting image status to 'killed'.`,
    );
  }
  if (image.deleted) {
    await world.blobs.remove(image.id);
    throw new HttpError(410, "Image was deleted during the upload.");
  }
  Object.assign(image, { size, checksum });
  activate(world, image);
}

/** Copies the data from a url to here, after the answer: queued, saving, active; or killed. */
export function copyLater(world: World, image: Image): void {
  world.later(async () => {
    try {
      image.status = "saving";
      world.changed();
      const { body } = await open(image.copyFrom ?? "", "GET", world.stopped);
      await store(world, image, Readable.fromWeb(body as NonNullable<typeof body>), {});
    } catch (error) {
      // A restart takes it up again.
      if (world.stopped.aborted) return;
      world.log(`copy of ${image.copyFrom}: ${(error as Error).message}`);
      kill(world, image);
    }
  });
}

/**
 * Adds the data by where it is: only its size is asked for.
 * @throws HttpError 400 when the address doesn't answer
 */
export async function addLocation(world: World, image: Image, location: string): Promise<void> {
  checkUrl(location);
  const response = await open(location, "HEAD", world.stopped).catch((error: Error) => {
    throw badRequest(`Invalid location ${location}: ${error.message}`);
  });
  image.size = Number(response.headers.get("content-length") ?? 0);
  image.location = location;
  activate(world, image);
}

/**
 * An image's data.
 * @throws HttpError 404 when there is none
 */
export async function read(world: World, image: Image): Promise<Readable> {
  if (image.status === "active" && image.location !== undefined) {
    const { body } = await open(image.location, "GET", world.stopped).catch(() => {
      throw new HttpError(404, `Image ${image.id} could not be read at its location`);
    });
    return Readable.fromWeb(body as NonNullable<typeof body>);
  }
  if (image.status !== "active" || (await world.blobs.size(image.id)) === undefined) {
    throw new HttpError(404, "Image data not found");
  }
  return world.blobs.read(image.id);
}

/**
 * Whether data may come from an address.
 * @throws HttpError 400 for anything but http and https
 */
export function checkUrl(url: string): void {
  const scheme = /^([a-z0-9+]+):/i.exec(url)?.[1]?.toLowerCase();
  if (scheme !== "http" && scheme !== "https")
    throw badRequest(`External sourcing not supported from store: '${scheme ?? url}'`);
}

async function open(url: string, method: "GET" | "HEAD", signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { method, signal, headers: { "accept-encoding": "identity" } });
  if (response.ok && (method === "HEAD" || response.body)) return response;
  await response.body?.cancel();
  throw new Error(`the server answered ${response.status}`);
}

function activate(world: World, image: Image) {
  image.status = "active";
  delete image.copyFrom;
  image.updated_at = timestamp(world.clock());
  world.changed();
}

function kill(world: World, image: Image) {
  if (!image.deleted) image.status = "killed";
  delete image.copyFrom;
  image.updated_at = timestamp(world.clock());
  world.changed();
}
