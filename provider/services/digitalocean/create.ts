import { ImagesError, UnfinishedError } from "../../errors.ts";
import { removedForNew } from "../lost.ts";
import type { ImageFacts, ImageOrder, Job } from "../service.ts";
import { factsOf, isDeleted, markOf, resourceMark } from "./attributes.ts";
import type { ImportBody, WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { remove } from "./delete.ts";
import { convertBackup } from "./fromBackup.ts";
import { snapshotDroplet, untilDropletIdle } from "./fromDroplet.ts";
import { addTag } from "./tagging.ts";
import { update } from "./update.ts";
import { gone, ImportFailure, importing, untilAvailable } from "./waiting.ts";

/** An earlier run's image can't be newer than this, in ms: creates that begin together share one look. */
const lookMs = 3000;

/** Makes the image of an order, or takes over what an earlier try of the same resource left: at the end there is exactly one. */
export async function create(cloud: DigitalOceanCloud, order: ImageOrder, job: Job): Promise<ImageFacts> {
  if (order.values.backupId !== undefined) {
    const image = await convertBackup(cloud, String(order.values.backupId), job);
    return await finish(cloud, image, order, job);
  }
  const { dropletId } = order.values;
  // What an earlier run asked the droplet for has to have ended before it can be found.
  if (dropletId !== undefined) await untilDropletIdle(cloud, String(dropletId), job);
  const left = await findLeftover(cloud, order, dropletId === undefined ? lookMs : 0, job);
  if (left !== undefined) {
    job.warn(`took over image ${left.id}, which an earlier run of this resource had made, but not noted in the state`);
    return await finish(cloud, left, order, job);
  }
  return await finish(cloud, await begin(cloud, order, job), order, job);
}

/** Asks for the image, once: an answer that is lost says nothing about it, so that it is looked for. */
async function begin(cloud: DigitalOceanCloud, order: ImageOrder, job: Job): Promise<WireImage> {
  const dropletId = order.values.dropletId === undefined ? undefined : String(order.values.dropletId);
  try {
    if (dropletId === undefined) return await importImage(cloud, order);
    return await snapshotDroplet(cloud, dropletId, markOf(order), job);
  } catch (error) {
    const isLost = error instanceof ImagesError && (error.code === "unavailable" || error.code === "timeout");
    if (!isLost || job.signal.aborted || Date.now() >= job.deadline) throw error;
    const made = await (async () => {
      if (dropletId !== undefined) await untilDropletIdle(cloud, dropletId, job);
      return await findLeftover(cloud, order, 0, job);
    })().catch(() => undefined);
    if (made === undefined) throw error;
    return made;
  }
}

/** Goes on with an image whose create ended before it was done; one that will never become one is removed. */
export async function complete(cloud: DigitalOceanCloud, id: string, order: ImageOrder, job: Job): Promise<ImageFacts> {
  if (order.values.backupId !== undefined) return await create(cloud, order, job);
  const image = await cloud.client.image(id);
  if (image === undefined) throw gone(id);
  if (!hasFailed(image)) return await finish(cloud, image, order, job);
  await remove(cloud, id, job);
  throw removedForNew(id);
}

/** Whether an image can still become what is ordered: not one whose import failed. */
export async function completable(cloud: DigitalOceanCloud, id: string): Promise<boolean> {
  const image = await cloud.client.image(id);
  return image !== undefined && !hasFailed(image);
}

/**
 * What this very resource made before, in a run whose end never reached the state. It is known by its mark, which is a tag, and before it
 * could be tagged (a snapshot) its name. Others of this resource (made from other data, failed, double) are removed.
 */
async function findLeftover(
  cloud: DigitalOceanCloud,
  order: ImageOrder,
  maxAgeMs: number,
  job: Job,
): Promise<WireImage | undefined> {
  const begins = resourceMark(order);
  const marks = (image: WireImage) => [image.name, ...(image.tags ?? [])].filter(text => text.startsWith(begins));
  const own = (await cloud.reads.all(maxAgeMs)).filter(image => marks(image).length > 0);
  const mark = markOf(order);
  const usable = own.filter(image => marks(image).includes(mark) && !hasFailed(image));
  const best = usable.find(({ status }) => status === "available") ?? usable[0];
  for (const other of own) if (other !== best) await remove(cloud, String(other.id), job);
  return best;
}

function hasFailed(image: WireImage): boolean {
  return isDeleted(image) || (importing.includes(image.status) && Boolean(image.error_message));
}

/** Starts the import of a custom image, with its tags and its mark in the same request. */
async function importImage(cloud: DigitalOceanCloud, order: ImageOrder): Promise<WireImage> {
  const { name, distribution, description, tags = [], regions } = order.values as Record<string, unknown>;
  const [region] = regions as string[];
  const body: ImportBody = {
    name: String(name),
    url: String(order.data?.url),
    region: String(region),
    ...(distribution === undefined ? {} : { distribution: String(distribution) }),
    ...(description === undefined ? {} : { description: String(description) }),
    tags: [...(tags as string[]), markOf(order)],
  };
  const image = await cloud.client.importImage(body);
  cloud.reads.wrote(String(image.id));
  return image;
}

/**
 * Waits until the image is there, and brings it to what is ordered. What fails for good is removed; anything else that goes wrong leaves the
 * image to the next run, since an import can take an hour.
 */
async function finish(cloud: DigitalOceanCloud, begun: WireImage, order: ImageOrder, job: Job): Promise<ImageFacts> {
  const id = String(begun.id);
  try {
    const image = begun.status === "available" ? begun : await untilAvailable(cloud, id, job);
    const mark = markOf(order);
    const marked = order.values.backupId !== undefined || image.tags?.includes(mark);
    // Before the name, by which it is known until now, is changed.
    if (!marked) await addTag(cloud, id, mark);
    return await update(cloud, id, factsOf(image), order.values, job, image);
  } catch (error) {
    if (error instanceof ImportFailure) {
      const late = { ...job, deadline: Math.max(job.deadline, Date.now() + 30_000) };
      const removed = await remove(cloud, id, late).then(
        () => true,
        () => false,
      );
      if (removed) throw error;
    } else if (error instanceof ImagesError && error.code === "not-found") throw error;
    throw new UnfinishedError(error, { id, status: "unfinished" });
  }
}
