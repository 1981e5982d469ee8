import { ImagesError } from "../../errors.ts";
import type { Begun, ImageAdapter, Phase } from "../../reconcile/adapter.ts";
import { imageIdsOf, isOwnId, isUnfinishedOf, recordOf } from "../../reconcile/ownership.ts";
import { forLeftover, noLongerThanLeftover } from "../../wait.ts";
import type { ImageFacts, ImageOrder, Job } from "../service.ts";
import { factsOf, type WireImage } from "./attributes.ts";
import type { GlanceCloud } from "./cloud.ts";
import { fill, holds } from "./data.ts";
import { deleteImage } from "./delete.ts";
import { shareAsOrdered, withMembers } from "./exclusiveMembers.ts";
import { ownershipOf } from "./ownership.ts";
import { claim, createOwned, release } from "./ownerWrites.ts";
import { update } from "./update.ts";
import { isBusy, isLocked, untilSettled } from "./waiting.ts";

/** What the Image API v2 can do with an image. */
export function imageAdapter(cloud: GlanceCloud): ImageAdapter<WireImage> {
  return {
    findOwned: (order, earlier) => findOwned(cloud, order, earlier, order.values.hidden === true),
    async get(id) {
      const image = await cloud.client.get(id);
      return image === undefined || isDeleted(image) ? undefined : image;
    },
    look: async (id, earlier) => {
      const image = await cloud.reads.read(id.toLowerCase(), earlier);
      return image === undefined || isDeleted(image) ? undefined : image;
    },
    factsOf: image => factsOf(image, cloud.dialect),
    ownershipOf,
    phase,
    canBecome,
    begin: order => begin(cloud, order),
    settled: (image, job) => settled(cloud, image, job),
    fill: (image, order, job, fresh) => fill(cloud, image, order, job, fresh),
    holds: (image, order, job) => holds(cloud, image, order, job),
    finish: (image, order, job, fresh) => finish(cloud, image, order, job, fresh),
    withDetails: (facts, { values }) => withMembers(cloud, facts, values.members === undefined ? [] : ["members"]),
    claim: (image, tag) => cloud.writes.run(image.id, () => claim(cloud, image, tag)),
    delete: (id, options, job) => deleteImage(cloud, id, options, job),
    carrier: () => cloud.carrier,
  };
}

export function isDeleted({ status }: Pick<WireImage, "status">): boolean {
  return status === "deleted" || status === "pending_delete";
}

function phase({ status }: WireImage): Phase {
  if (status === "active" || status === "deactivated") return "ready";
  return status === "queued" ? "empty" : "failed";
}

function canBecome(image: WireImage, { values }: ImageOrder): boolean {
  const { diskFormat, containerFormat } = values;
  const imageId = (values.imageId as string | undefined)?.toLowerCase();
  return (
    (imageId === undefined || image.id === imageId) &&
    (diskFormat === undefined || image.disk_format === diskFormat) &&
    (containerFormat === undefined || image.container_format === containerFormat)
  );
}

/** A snapshot or a foreign copy inherits the owner tag, but never an id that this provider chose. */
async function findOwned(
  cloud: GlanceCloud,
  order: ImageOrder,
  earlier: boolean,
  hidden: boolean,
): Promise<WireImage[]> {
  const chosen = (order.values.imageId as string | undefined)?.toLowerCase();
  const found = await cloud.owned.find(order, { earlier, hidden });
  return found.filter(image => isOwnId(image.id) || image.id === chosen || ownershipOf(image).adopted);
}

/** Makes the image's record. The server's "already exists" tells a run that another one was faster. */
async function begin(cloud: GlanceCloud, order: ImageOrder): Promise<Begun<WireImage>> {
  const chosen = (order.values.imageId as string | undefined)?.toLowerCase();
  const finished: WireImage[] = [];
  let looked = !cloud.dialect.hidden;
  for (const id of chosen === undefined ? imageIdsOf(order.ownerTag, cloud.dialect.hidden) : [chosen]) {
    const made = await createOwned(cloud, order, id);
    if (made !== undefined) return { image: made, fresh: true, finished };
    // 409: there is, or there was, an image with this id.
    const existing = await cloud.client.get(id);
    const found = existing !== undefined && (await isOwn(cloud, existing, order)) ? [existing] : [];
    if (!looked && chosen === undefined) {
      looked = true;
      // The resource was made before, and a listing has either the hidden images or the others: worth a look at those.
      found.push(...(await findOwned(cloud, order, false, order.values.hidden !== true)));
    }
    finished.push(...found.filter(image => !ownershipOf(image).unfinished));
    const [unfinished] = found.filter(image => isUnfinishedOf(order, ownershipOf(image)));
    if (unfinished !== undefined) return { image: unfinished, fresh: false, finished };
    if (chosen !== undefined) throw usedId(chosen, existing);
  }
  throw new ImagesError("conflict", "found no free image id");
}

async function isOwn(cloud: GlanceCloud, image: WireImage, order: ImageOrder): Promise<boolean> {
  return ownershipOf(image).resource === order.ownerTag.resource && image.owner === (await cloud.projectId());
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

/** The image when the service is through with it; undefined when it is gone or stuck. */
async function settled(cloud: GlanceCloud, image: WireImage, job: Job): Promise<WireImage | undefined> {
  if (!isBusy(image)) return image;
  // Staged data waits for an import for ever, and how much of it there is can't be told.
  if (image.status === "uploading") return undefined;
  job.report(`waiting for an earlier run's ${image.status} to end`);
  // An import is the server's own work, whoever has gone: it gets as long as any such work.
  const isImport = image.status === "importing" || isLocked(image);
  try {
    return await untilSettled(cloud.client, image.id, isImport ? forLeftover(job) : noLongerThanLeftover(job));
  } catch (error) {
    if (error instanceof ImagesError && (error.code === "timeout" || error.code === "not-found")) return undefined;
    throw error;
  }
}

/**
 * Brings the fields of an image with the right data to what is ordered, then removes its unfinished marker: the answer to
 * that request stands for a read-back.
 */
async function finish(
  cloud: GlanceCloud,
  filled: WireImage,
  order: ImageOrder,
  job: Job,
  fresh: boolean,
): Promise<WireImage | undefined> {
  const { values } = order;
  const state = values.state === "deactivated" && filled.status !== "deactivated";
  const image = !fresh || state ? await corrected(cloud, filled, order, job) : filled;
  if (ownershipOf(filled).unfinished && !ownershipOf(image).unfinished) return undefined;
  await shareAsOrdered(cloud, factsOf(image, cloud.dialect), values);
  const released = await cloud.writes.run(image.id, () => release(cloud, image));
  if (released !== undefined) cloud.rest.note(released);
  return released;
}

async function corrected(cloud: GlanceCloud, image: WireImage, order: ImageOrder, job: Job): Promise<WireImage> {
  const actual: ImageFacts = { ...factsOf(image, cloud.dialect), ownerTag: recordOf(ownershipOf(image)) };
  return await update(cloud, image.id, { actual, wanted: order.values, removedProperties: [] }, job);
}
