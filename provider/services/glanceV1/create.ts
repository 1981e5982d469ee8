import { setTimeout as pause } from "node:timers/promises";
import { ImagesError, UnfinishedError } from "../../errors.ts";
import { pauseAfter } from "../../http/retry.ts";
import { imageIdOf, isOwnId } from "../../mark.ts";
import { noLongerThanLeftover } from "../../wait.ts";
import { markProperties } from "../glance/attributes.ts";
import { gone } from "../glance/waiting.ts";
import { type HowOn, removedForNew, ServiceLost } from "../lost.ts";
import type { ImageFacts, ImageOrder, Job, Values } from "../service.ts";
import { factsOf, fieldsOf, hasMark, markOf, type WireImage } from "./attributes.ts";
import type { GlanceV1Cloud } from "./cloud.ts";
import { BrokenUpload, fill, holds, uploadTries } from "./data.ts";
import { remove } from "./delete.ts";
import { update } from "./update.ts";
import { isGone, untilSettled } from "./waiting.ts";

/** A resource can't have been destroyed and made again more often on one day. */
const mostAttempts = 1000;

/** Makes the image of an order, or takes over what an earlier try of the same resource left: at the end there is exactly one. */
export async function create(cloud: GlanceV1Cloud, order: ImageOrder, job: Job): Promise<ImageFacts> {
  const leftover = await findLeftover(cloud, order, job);
  return leftover === undefined ? await make(cloud, order, job) : await complete(cloud, leftover, order, job);
}

/**
 * Brings an image of ours from whatever state an interrupted run left it in to what is ordered. One that can't be brought
 * there (killed, other data in it) makes room for a new one.
 */
async function complete(
  cloud: GlanceV1Cloud,
  found: WireImage,
  order: ImageOrder,
  job: Job,
  how: HowOn = { again: true, known: false },
): Promise<ImageFacts> {
  job.report("taking over what an earlier run left");
  const image = await settled(cloud, found, job);
  if (image !== undefined && sameFormats(image, order)) {
    if (image.status === "queued") {
      try {
        return await finish(cloud, image, order, job, "correct", how);
      } catch (error) {
        if (!(error instanceof BrokenUpload)) throw error;
      }
    }
    if (image.status === "active" && (await holds(image, order, job))) {
      job.warn(
        `took over image ${image.id}, which an earlier run of this resource had made, but not noted in the state`,
      );
      return await correct(cloud, image, order, job);
    }
  }
  await remove(cloud, found.id, { force: true }, job);
  if (how.known) throw removedForNew(found.id);
  return await make(cloud, order, job);
}

/** Goes on with an image that the state has as unfinished. @throws ImagesError "conflict" when it was no use, and is removed */
export async function completeKnown(
  cloud: GlanceV1Cloud,
  id: string,
  order: ImageOrder,
  job: Job,
): Promise<ImageFacts> {
  const image = await cloud.client.get(id);
  if (isGone(image)) throw gone(id);
  return await complete(cloud, image, order, job, { again: true, known: true });
}

/** Whether an image of ours can still be brought to what is ordered: not one that was killed, or that is saved for ever. */
export async function completable(cloud: GlanceV1Cloud, id: string, job: Job): Promise<boolean> {
  const image = await cloud.client.get(id);
  if (isGone(image)) return false;
  const now = await settled(cloud, image, job);
  return now !== undefined && now.status !== "killed";
}

/** What this very resource made before, in a run whose end never reached the state. Of several, the one that got furthest. */
async function findLeftover(cloud: GlanceV1Cloud, order: ImageOrder, job: Job): Promise<WireImage | undefined> {
  const marked = await cloud.client.list({ [`property-${markProperties.resource}`]: order.mark.resource });
  const owners = [await cloud.projectId(), order.values.owner];
  // Another project may have shared an image that carries the same mark, and an old service may not know the filter.
  const wanted = (order.values.imageId as string | undefined)?.toLowerCase();
  const own = marked.filter(
    image => owners.includes(image.owner) && hasMark(image, order.mark) && (isOwnId(image.id) || image.id === wanted),
  );
  const rank = ({ id, status }: WireImage) =>
    (wanted !== undefined && id !== wanted ? 10 : 0) + Math.max(0, ["active", "saving", "queued"].indexOf(status));
  const [best, ...others] = own.sort((one, other) => rank(one) - rank(other));
  for (const other of others) await remove(cloud, other.id, { force: true }, job);
  if (best !== undefined && rank(best) >= 10) {
    await remove(cloud, best.id, { force: true }, job);
    return undefined;
  }
  return best;
}

/** An image that the network breaks while its data is sent is killed, and its id used up: the next try is another image. */
async function make(cloud: GlanceV1Cloud, order: ImageOrder, job: Job): Promise<ImageFacts> {
  for (let attempt = 1; ; attempt++) {
    const { image, mine } = await reserve(cloud, order);
    if (!mine) return await complete(cloud, image, order, job);
    try {
      return await finish(cloud, image, order, job);
    } catch (error) {
      if (!(error instanceof BrokenUpload)) throw error;
      if (attempt === uploadTries || order.values.imageId !== undefined) throw givenUp(error, attempt, order.values);
      job.report(`the connection broke; uploading again (${attempt + 1} of ${uploadTries})`);
      await pause(pauseAfter(attempt + 1), undefined, { signal: job.signal });
    }
  }
}

function givenUp({ cause }: BrokenUpload, attempts: number, { imageId }: Values): ImagesError {
  const tries = attempts === 1 ? "the upload broke off" : `${attempts} uploads broke off; the last`;
  return new ImagesError(cause.code, `${tries}: ${cause.message}`, {
    cause,
    ...(imageId === undefined
      ? {}
      : { hint: `imageId ${String(imageId)} can't be used again: choose another one, or leave it out` }),
  });
}

/** Makes the image's record. `mine` is false when a parallel run of the same resource had made it already. */
async function reserve(cloud: GlanceV1Cloud, order: ImageOrder): Promise<{ image: WireImage; mine: boolean }> {
  const chosen = (order.values.imageId as string | undefined)?.toLowerCase();
  const day = new Date().toISOString().slice(0, 10);
  const properties = { ...(order.values.properties as Record<string, string> | undefined), ...markOf(order.mark) };
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const id = chosen ?? imageIdOf(order.mark, day, attempt);
    const made = await cloud.client.reserve({ id, ...fieldsOf(order.values) }, properties);
    if (made !== undefined) return { image: made, mine: true };
    // 409: there is, or there was, an image with this id.
    const existing = await cloud.client.get(id);
    if (existing !== undefined && !isGone(existing) && hasMark(existing, order.mark)) {
      return { image: existing, mine: false };
    }
    if (chosen !== undefined) throw usedId(chosen, existing);
  }
  throw new ImagesError("conflict", "found no free image id");
}

function usedId(id: string, existing: WireImage | undefined): ImagesError {
  return isGone(existing)
    ? new ImagesError(
        "conflict",
        `imageId ${id} can't be used: an image of this id has been deleted, or belongs to somebody else`,
        { hint: "An image service never gives out an id twice: choose a new one, or leave imageId out" },
      )
    : new ImagesError("conflict", `imageId ${id} is used by another image, named ${JSON.stringify(existing.name)}`, {
        hint: "Choose another id, or bring that image under management with adopt: { id }",
      });
}

/** Data, then what could only be done with the data in place. An image that fails for good is taken away again. */
async function finish(
  cloud: GlanceV1Cloud,
  reserved: WireImage,
  order: ImageOrder,
  job: Job,
  metadata: "as ordered" | "correct" = "as ordered",
  how: HowOn = { again: true, known: false },
): Promise<ImageFacts> {
  try {
    if (metadata === "as ordered") demandOwner(reserved, order.values);
    const hasData = order.data !== undefined || order.values.location !== undefined;
    const filled = hasData ? await fill(cloud, reserved.id, order, job) : reserved;
    return metadata === "correct" ? await correct(cloud, filled, order, job) : factsOf(filled);
  } catch (error) {
    // Another run of this resource is at work on the same image, or was done with it first: what it made isn't removed, but taken over.
    const taken = how.again && error instanceof ImagesError && error.status === 409;
    const image = taken && !job.signal.aborted ? await cloud.client.get(reserved.id) : undefined;
    if (image !== undefined && !isGone(image))
      return await complete(cloud, image, order, job, { ...how, again: false });
    throw await cleanedUp(cloud, reserved.id, error, job);
  }
}

/** The service leaves the owner out of who isn't allowed to choose one, without a word. */
function demandOwner(image: WireImage, { owner }: Values): void {
  if (owner === undefined || image.owner === owner) return;
  throw new ImagesError(
    "forbidden",
    `the image would belong to project ${String(image.owner)}, not to the declared owner ${String(owner)}`,
    { hint: "Only an admin may make images for other projects: leave owner out, or use a connection of that project" },
  );
}

/** Brings the metadata of an image with the right data to what is ordered. */
async function correct(cloud: GlanceV1Cloud, image: WireImage, order: ImageOrder, job: Job): Promise<ImageFacts> {
  return await update(
    cloud,
    image.id,
    { actual: factsOf(image), wanted: order.values, removedProperties: [] },
    job,
    image,
  );
}

/**
 * What to throw after a create failed. Time running out says nothing about the image, nor does a service that is gone: such an image is
 * kept, and told to the state, for the next run to go on with; after any other failure it is removed.
 */
async function cleanedUp(cloud: GlanceV1Cloud, id: string, error: unknown, job: Job): Promise<unknown> {
  const code = error instanceof ImagesError ? error.code : undefined;
  if (code === "not-found") return error;
  const facts: ImageFacts = { id, status: "unfinished" };
  const unknown = code === "timeout" || code === "interrupted" || error instanceof ServiceLost;
  if (unknown || job.signal.aborted) return new UnfinishedError(error, facts);
  try {
    await remove(cloud, id, { force: true }, { ...job, deadline: Math.max(job.deadline, Date.now() + 30_000) });
    return error;
  } catch {
    return new UnfinishedError(error instanceof BrokenUpload ? error.cause : error, facts);
  }
}

/** The image when the service is through with it; undefined when it is stuck, or gone. */
async function settled(cloud: GlanceV1Cloud, image: WireImage, job: Job): Promise<WireImage | undefined> {
  if (image.status !== "saving") return image;
  job.report(`waiting for an earlier run's ${image.status} to end`);
  try {
    return await untilSettled(cloud.client, image.id, noLongerThanLeftover(job));
  } catch (error) {
    if (error instanceof ImagesError && (error.code === "timeout" || error.code === "not-found")) return undefined;
    throw error;
  }
}

function sameFormats(image: WireImage, { values }: ImageOrder): boolean {
  const { diskFormat, containerFormat } = values;
  return (
    (diskFormat === undefined || image.disk_format === diskFormat) &&
    (containerFormat === undefined || image.container_format === containerFormat)
  );
}
