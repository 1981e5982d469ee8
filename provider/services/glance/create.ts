import { ImagesError, UnfinishedError } from "../../errors.ts";
import { firstImageIdOf, imageIdOf, isOwnId } from "../../mark.ts";
import { forLeftover, noLongerThanLeftover } from "../../wait.ts";
import { type HowOn, removedForNew, ServiceLost } from "../lost.ts";
import type { ImageFacts, ImageOrder, Job, Mark } from "../service.ts";
import { createBody, factsOf, markProperties, type WireImage } from "./attributes.ts";
import type { GlanceCloud } from "./cloud.ts";
import { fill, holds } from "./data.ts";
import { remove } from "./delete.ts";
import { update } from "./update.ts";
import { busyStatuses, gone, isBusy, isLocked, untilSettled } from "./waiting.ts";

/** A resource can't have been destroyed and made again more often on one day. */
const mostAttempts = 1000;

/** Makes the image of an order, or takes over what an earlier try of the same resource left: at the end there is exactly one. */
export async function create(cloud: GlanceCloud, order: ImageOrder, job: Job): Promise<ImageFacts> {
  const leftover = await findLeftover(cloud, order, job, order.values.hidden === true);
  if (leftover !== undefined) return await complete(cloud, leftover, order, job);
  const reserved = await reserve(cloud, order, job);
  return reserved.mine
    ? await finish(cloud, reserved.image, order, job)
    : await complete(cloud, reserved.image, order, job);
}

/**
 * Brings an image of ours from whatever state an interrupted run left it in to what is ordered. One that can't be brought
 * there (other data in it, stuck) makes room for a new one.
 */
async function complete(
  cloud: GlanceCloud,
  found: WireImage,
  order: ImageOrder,
  job: Job,
  how: HowOn = { again: true, known: false },
): Promise<ImageFacts> {
  job.report("taking over what an earlier run left");
  const image = await settled(cloud, found, job);
  if (image !== undefined && sameFormats(image, order)) {
    if (image.status === "queued") return await finish(cloud, image, order, job, "correct", how);
    const done = image.status === "active" || image.status === "deactivated";
    if (done && (await holds(cloud, image, order, job))) {
      job.warn(
        `took over image ${image.id}, which an earlier run of this resource had made, but not noted in the state`,
      );
      return await correct(cloud, image, order, job);
    }
  }
  await remove(cloud, found.id, { force: true }, job);
  if (how.known) throw removedForNew(found.id);
  const reserved = await reserve(cloud, order, job);
  return await finish(cloud, reserved.image, order, job, reserved.mine ? "as ordered" : "correct");
}

/** Goes on with an image that the state has as unfinished. @throws ImagesError "conflict" when it was no use, and is removed */
export async function completeKnown(cloud: GlanceCloud, id: string, order: ImageOrder, job: Job): Promise<ImageFacts> {
  const image = await cloud.client.get(id);
  if (image === undefined) throw gone(id);
  return await complete(cloud, image, order, job, { again: true, known: true });
}

/** Whether an image of ours can still be brought to what is ordered: not one that the server takes for being at work on for ever. */
export async function completable(cloud: GlanceCloud, id: string, job: Job): Promise<boolean> {
  const image = await cloud.client.get(id);
  if (image === undefined) return false;
  // An import is the server's own work, whoever has gone: it gets as long as any such work.
  const patient = image.status === "importing" || isLocked(image) ? forLeftover(job) : job;
  return (await settled(cloud, image, patient)) !== undefined;
}

/**
 * What this very resource made before, in a run whose end never reached the state. Of several, the one that got furthest.
 * @param hidden a listing has either the hidden images or the others
 */
async function findLeftover(
  cloud: GlanceCloud,
  order: ImageOrder,
  job: Job,
  hidden: boolean,
): Promise<WireImage | undefined> {
  const owner = await cloud.projectId();
  const marked = await cloud.client.list({
    owner,
    ...(cloud.dialect.filters ? { [markProperties.resource]: order.mark.resource } : {}),
    ...(hidden ? { os_hidden: true } : {}),
  });
  // Another project may have shared an image that carries the same mark, and not every cloud knows the filters.
  const wanted = order.values.imageId as string | undefined;
  const own = marked.filter(
    image =>
      image.owner === owner &&
      image[markProperties.resource] === order.mark.resource &&
      (isOwnId(image.id) || image.id === wanted?.toLowerCase()),
  );
  const rank = (image: WireImage) =>
    (wanted !== undefined && image.id !== wanted.toLowerCase() ? 10 : 0) +
    (image.status === "active" || image.status === "deactivated" ? 0 : busyStatuses.includes(image.status) ? 1 : 2);
  const [best, ...others] = own.sort((one, other) => rank(one) - rank(other));
  for (const other of others) await remove(cloud, other.id, { force: true }, job);
  if (best !== undefined && rank(best) >= 10) {
    await remove(cloud, best.id, { force: true }, job);
    return undefined;
  }
  return best;
}

/** Makes the image's record. `mine` is false when a parallel run of the same resource, or an earlier one, had made it already. */
async function reserve(cloud: GlanceCloud, order: ImageOrder, job: Job): Promise<{ image: WireImage; mine: boolean }> {
  const chosen = (order.values.imageId as string | undefined)?.toLowerCase();
  const first = cloud.dialect.hidden ? firstImageIdOf(order.mark) : undefined;
  for (const id of chosen === undefined ? idsOf(order.mark, first) : [chosen]) {
    const made = await cloud.client.create(createBody(order.values, id, order.mark));
    if (made !== undefined) return { image: made, mine: true };
    // 409: there is, or there was, an image with this id.
    const existing = await cloud.client.get(id);
    if (existing?.[markProperties.resource] === order.mark.resource) return { image: existing, mine: false };
    if (chosen !== undefined) throw usedId(chosen, existing);
    if (id !== first) continue;
    // It has been made before, so there may be a leftover that was hidden and isn't to be any more, or the other way round: worth a second look.
    const image = await findLeftover(cloud, order, job, order.values.hidden !== true);
    if (image !== undefined) return { image, mine: false };
  }
  throw new ImagesError("conflict", "found no free image id");
}

/** The ids that a resource's image can get, in the order in which they are tried. */
function* idsOf(mark: Mark, first: string | undefined): Generator<string> {
  if (first !== undefined) yield first;
  const day = new Date().toISOString().slice(0, 10);
  for (let attempt = 0; attempt < mostAttempts; attempt++) yield imageIdOf(mark, day, attempt);
}

function usedId(id: string, existing: WireImage | undefined): ImagesError {
  return new ImagesError(
    "conflict",
    existing === undefined
      ? `imageId ${id} can't be used: an image of this id has been deleted, or belongs to somebody else`
      : `imageId ${id} is used by another image, named ${JSON.stringify(existing.name)}`,
    {
      hint:
        existing === undefined
          ? "An image service never gives out an id twice: choose a new one, or leave imageId out"
          : "Choose another id, or bring that image under management with adopt: { id }",
    },
  );
}

/** Data, then what could only be done with the data in place. An image that fails for good is taken away again. */
async function finish(
  cloud: GlanceCloud,
  reserved: WireImage,
  order: ImageOrder,
  job: Job,
  metadata: "as ordered" | "correct" = "as ordered",
  how: HowOn = { again: true, known: false },
): Promise<ImageFacts> {
  try {
    const filled =
      order.data === undefined ? reserved : await fill(cloud, reserved.id, order, job, metadata === "as ordered");
    const active = order.values.state === "deactivated" && filled.status !== "deactivated";
    if (metadata === "correct" || active) return await correct(cloud, filled, order, job);
    cloud.rest.note(filled);
    return factsOf(filled, cloud.dialect);
  } catch (error) {
    // Another run of this resource is at work on the same image, or was done with it first: what it made isn't removed, but taken over.
    const taken = how.again && error instanceof ImagesError && error.status === 409;
    const image = taken && !job.signal.aborted ? await cloud.client.get(reserved.id) : undefined;
    if (image !== undefined) return await complete(cloud, image, order, job, { ...how, again: false });
    throw await cleanedUp(cloud, reserved.id, error, job);
  }
}

/** Brings the metadata of an image with the right data to what is ordered. */
async function correct(cloud: GlanceCloud, image: WireImage, order: ImageOrder, job: Job): Promise<ImageFacts> {
  const facts = factsOf(image, cloud.dialect);
  return await update(cloud, image.id, { actual: facts, wanted: order.values, removedProperties: [] }, job);
}

/**
 * What to throw after a create failed. Time running out says nothing about the image, nor does a service that is gone: such an image is
 * kept, and told to the state, for the next run to go on with; after any other failure it is removed.
 */
async function cleanedUp(cloud: GlanceCloud, id: string, error: unknown, job: Job): Promise<unknown> {
  const code = error instanceof ImagesError ? error.code : undefined;
  if (code === "not-found") return error;
  const facts: ImageFacts = { id, status: "unfinished" };
  const unknown = code === "timeout" || code === "interrupted" || error instanceof ServiceLost;
  if (unknown || job.signal.aborted) return new UnfinishedError(error, facts);
  try {
    await remove(cloud, id, { force: true }, { ...job, deadline: Math.max(job.deadline, Date.now() + 30_000) });
    return error;
  } catch {
    return new UnfinishedError(error, facts);
  }
}

/** The image when the server is through with it; undefined when it is stuck. */
async function settled(cloud: GlanceCloud, image: WireImage, job: Job): Promise<WireImage | undefined> {
  if (!isBusy(image)) return image;
  // Staged data waits for an import for ever, and how much of it there is can't be told.
  if (image.status === "uploading") return undefined;
  job.report(`waiting for an earlier run's ${image.status} to end`);
  try {
    return await untilSettled(cloud.client, image.id, noLongerThanLeftover(job));
  } catch (error) {
    if (error instanceof ImagesError && (error.code === "timeout" || error.code === "not-found")) return undefined;
    throw error;
  }
}

function sameFormats(image: WireImage, order: ImageOrder): boolean {
  const { diskFormat, containerFormat } = order.values;
  return (
    (diskFormat === undefined || image.disk_format === diskFormat) &&
    (containerFormat === undefined || image.container_format === containerFormat)
  );
}
