import { setTimeout as pause } from "node:timers/promises";
import type { Content } from "../../content/index.ts";
import { ImagesError } from "../../errors.ts";
import { pauseAfter } from "../../http/retry.ts";
import { SpentImage } from "../../reconcile/adapter.ts";
import { afterBroken, gone } from "../lost.ts";
import type { ImageData, ImageOrder, Job } from "../service.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceV1Cloud } from "./cloud.ts";
import { isGone, killed, untilSettled } from "./waiting.ts";

/** How often the data is sent before an upload that the network breaks is given up. */
export const uploadTries = 4;

/**
 * Brings a queued image's data in, the way the order says, and holds what the service got against what was sent.
 * @throws ImagesError "content" when the data isn't what it should be, "failed" when the service killed the image
 * @throws SpentImage when a new image may have more luck
 */
export async function fill(cloud: GlanceV1Cloud, queued: WireImage, order: ImageOrder, job: Job): Promise<WireImage> {
  const { id } = queued;
  const { location } = order.values;
  if (typeof location === "string") {
    // An image of ours that has a location already got it by a request whose answer was lost.
    const image = (await cloud.client.setLocation(id, location)) ?? (await cloud.client.get(id));
    if (isGone(image)) throw gone(id);
    const settled = ["queued", "saving"].includes(image.status)
      ? await untilSettled(cloud.client, id, job, ["queued", "saving"])
      : image;
    if (settled.status === "killed") throw killed(id, `it can't use the location ${location}`);
    return settled;
  }
  const { data } = order;
  if (data === undefined) return queued;
  if (data.import && data.url !== undefined) return await copyFrom(cloud, id, data, data.url, job);
  return await upload(cloud, id, data, job);
}

async function copyFrom(cloud: GlanceV1Cloud, id: string, data: ImageData, url: string, job: Job): Promise<WireImage> {
  await cloud.client.copyFrom(id, url);
  const image = await untilSettled(cloud.client, id, job, ["queued", "saving"]);
  if (image.status === "killed") throw killed(id, "it couldn't copy the source's url");
  // The data never passed through here; a declared MD5 can still be held against it.
  const [algorithm, hex] = data.content?.split(":") ?? [];
  const wrong =
    data.size !== undefined && image.size !== data.size
      ? `${image.size} bytes, not ${data.size}`
      : algorithm === "md5" && image.checksum !== hex
        ? `md5 ${image.checksum}, not ${hex}`
        : undefined;
  if (wrong !== undefined) throw corrupted(id, wrong);
  return image;
}

async function upload(cloud: GlanceV1Cloud, id: string, data: ImageData, job: Job): Promise<WireImage> {
  // A file is read once more, so that the service itself refuses anything else; a url isn't fetched twice for that.
  const known = data.url === undefined ? await digestOf(data, "checking", job) : undefined;
  for (let attempt = 1; ; attempt++) {
    let content: Content | undefined;
    const open = async () => {
      // Opened once a try: a stream that was partly read is never sent again.
      content?.close();
      content = await data.open(["md5"], "uploading", job);
      return content;
    };
    try {
      const { signal, deadline } = job;
      const size = known?.size ?? data.size;
      const image = await cloud.client.upload(id, { open, size, checksum: known?.digests.md5, signal, deadline });
      return await verified(cloud, image, known ?? (await (content as Content | undefined)?.finished), job);
    } catch (error) {
      content?.close();
      if (!(error instanceof ImagesError) || job.signal.aborted || error.code === "content") throw error;
      const image = await afterBroken(error, () => cloud.client.get(id, job.deadline));
      if (isGone(image)) throw gone(id);
      const settled = image.status === "saving" ? await untilSettled(cloud.client, id, job) : image;
      // It did arrive, only the answer was lost: the digests tell.
      if (settled.status === "active") {
        return await verified(cloud, settled, known ?? (await digestOf(data, "comparing", job)), job);
      }
      if (!isBroken(error)) throw error;
      if (settled.status === "killed") throw new SpentImage(error);
      if (attempt === uploadTries) throw error;
      job.report(`the connection broke; uploading again (${attempt + 1} of ${uploadTries})`);
      await pause(pauseAfter(attempt + 1), undefined, { signal: job.signal });
    }
  }
}

/** Whether it was the network's doing, or the service's that failed: not a refusal, and not the end of the time. */
function isBroken(error: ImagesError): boolean {
  return error.code === "unavailable";
}

interface Sent {
  size: number;
  digests: Record<string, string>;
}

/** Reads the data once without sending it. */
async function digestOf(data: ImageData, doing: string, job: Job): Promise<Sent> {
  const content = await data.open(["md5"], doing, job);
  try {
    for await (const _ of content.stream);
    return await content.finished;
  } finally {
    content.close();
  }
}

async function verified(
  cloud: GlanceV1Cloud,
  answered: WireImage,
  sent: Sent | undefined,
  job: Job,
): Promise<WireImage> {
  const image = answered.status === "saving" ? await untilSettled(cloud.client, answered.id, job) : answered;
  if (image.status === "killed") throw killed(image.id, "it didn't take the data that was sent");
  if (image.status !== "active") {
    throw new ImagesError("failed", `image ${image.id} is ${image.status} after its data was sent`);
  }
  const wrong = sent === undefined ? undefined : difference(image, sent);
  if (wrong !== undefined) throw corrupted(image.id, wrong);
  return image;
}

/**
 * Whether an image's data is what the order's source gives. The service doesn't say which location an image has: one that the state has was given
 * the declared one, since another one would replace the image.
 */
export async function holds(image: WireImage, order: ImageOrder, job: Job): Promise<boolean> {
  const { data } = order;
  if (order.values.location !== undefined) return order.recordedOwner !== undefined;
  if (data === undefined) return true;
  if (data.size !== undefined && image.size !== data.size) return false;
  return difference(image, await digestOf(data, "comparing", job)) === undefined;
}

/** What differs, in words; undefined when nothing does. */
function difference(image: WireImage, sent: Sent): string | undefined {
  if (image.size !== sent.size) return `${image.size} bytes, not ${sent.size}`;
  return image.checksum === sent.digests.md5 ? undefined : `md5 ${image.checksum}, not ${sent.digests.md5}`;
}

function corrupted(id: string, wrong: string): ImagesError {
  return new ImagesError("content", `the data that arrived in image ${id} isn't what the source gives: ${wrong}`);
}
