import { ImagesError } from "../../errors.ts";
import type { Begun, Filled, ImageAdapter, Phase } from "../../reconcile/adapter.ts";
import { isTagOf, isUnfinishedOf, type OwnerTag } from "../../reconcile/ownership.ts";
import type { ImageOrder, Job } from "../service.ts";
import { factsOf, isDeleted } from "./attributes.ts";
import type { ImportBody, WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { deleteImage } from "./delete.ts";
import { snapshotDroplet, untilDropletIdle } from "./fromDroplet.ts";
import { adoptedOwnerTag, isMadeFrom, markersOf, newMarker, newOwnerTag, ownershipOf, ownTagsOf } from "./ownership.ts";
import { earlierMs } from "./reads.ts";
import { addOwnTag } from "./tagging.ts";
import { update } from "./update.ts";
import { ImportFailure, importing, untilAvailable } from "./waiting.ts";

/** An earlier run's image can't be newer than this, in ms: creates that begin together share one look. */
const lookMs = 3000;

/** What DigitalOcean can do with an image. */
export function imageAdapter(cloud: DigitalOceanCloud): ImageAdapter<WireImage> {
  return {
    findOwned: order => findOwned(cloud, order, lookMs),
    get: id => cloud.client.image(id),
    look: (id, earlier) => cloud.reads.read(id, earlier ? earlierMs : undefined),
    factsOf,
    ownershipOf,
    phase,
    canBecome: isMadeFrom,
    begin: (order, job) => begin(cloud, order, job),
    settled: async image => image,
    fill: (image, _order, job) => fill(cloud, image, job),
    holds: async () => true,
    finish: (image, order, job) => finish(cloud, image, order, job),
    claim: (image, tag) => claim(cloud, image, tag),
    delete: (id, options, job) => deleteImage(cloud, id, job, options.recorded === true),
    carrier: () => "properties",
    // An import can take an hour: whatever else goes wrong leaves it to the next run.
    keeps: error => !(error instanceof ImportFailure),
  };
}

async function findOwned(cloud: DigitalOceanCloud, order: ImageOrder, maxAgeMs: number): Promise<WireImage[]> {
  const images = await cloud.reads.all(maxAgeMs);
  return images.filter(image => isTagOf(order, ownershipOf(image).resource));
}

function phase(image: WireImage): Phase {
  if (image.status === "available") return "ready";
  return isDeleted(image) || image.error_message || !importing.includes(image.status) ? "failed" : "empty";
}

/** Asks for the image, once: an answer that is lost says nothing about it, so it is looked for. */
async function begin(cloud: DigitalOceanCloud, order: ImageOrder, job: Job): Promise<Begun<WireImage>> {
  const dropletId = order.values.dropletId === undefined ? undefined : String(order.values.dropletId);
  try {
    const image =
      dropletId === undefined
        ? await importImage(cloud, order)
        : await snapshotDroplet(cloud, dropletId, newOwnerTag(order), job);
    return { image, fresh: true };
  } catch (error) {
    const isLost = error instanceof ImagesError && (error.code === "unavailable" || error.code === "timeout");
    if (!isLost || job.signal.aborted || Date.now() >= job.deadline) throw error;
    const made = await (async () => {
      if (dropletId !== undefined) await untilDropletIdle(cloud, dropletId, job);
      return (await findOwned(cloud, order, 0)).find(image => isUnfinishedOf(order, ownershipOf(image)));
    })().catch(() => undefined);
    if (made === undefined) throw error;
    return { image: made, fresh: true };
  }
}

/** Starts the import of a custom image, with its tags, its owner tag and the unfinished marker in the same request. */
async function importImage(cloud: DigitalOceanCloud, order: ImageOrder): Promise<WireImage> {
  const { name, distribution, description, tags = [], regions } = order.values as Record<string, unknown>;
  const [region] = regions as string[];
  const body: ImportBody = {
    name: String(name),
    url: String(order.data?.url),
    region: String(region),
    ...(distribution === undefined ? {} : { distribution: String(distribution) }),
    ...(description === undefined ? {} : { description: String(description) }),
    tags: [...(tags as string[]), newOwnerTag(order), newMarker(order.ownerTag)],
  };
  const image = await cloud.client.importImage(body);
  cloud.reads.wrote(String(image.id));
  return image;
}

async function fill(cloud: DigitalOceanCloud, image: WireImage, job: Job): Promise<Filled<WireImage>> {
  return { image: await untilAvailable(cloud, String(image.id), job) };
}

/**
 * Brings the image's fields to what is ordered, and removes the unfinished marker. A droplet's snapshot gets its owner tag first, and its name
 * last: until then it is known by that.
 */
async function finish(cloud: DigitalOceanCloud, image: WireImage, order: ImageOrder, job: Job): Promise<WireImage> {
  const id = String(image.id);
  const { name, ...others } = order.values;
  const isNamedByTag = ownTagsOf({ ...image, tags: [image.name] }).length > 0;
  if (isNamedByTag && !image.tags?.includes(image.name)) await addOwnTag(cloud, id, image.name);
  const updated = await update(cloud, id, factsOf(image), isNamedByTag ? others : order.values, job, image);
  const markers = markersOf(image);
  for (const marker of markers) await cloud.client.deleteTag(marker);
  if (markers.length > 0) cloud.reads.wrote(id);
  const tags = updated.tags?.filter(tag => !markers.includes(tag)) ?? [];
  return isNamedByTag ? await update(cloud, id, factsOf(updated), { name }, job, updated) : { ...updated, tags };
}

/** Puts an owner tag on an image in the place of every other one. */
async function claim(cloud: DigitalOceanCloud, image: WireImage, tag: OwnerTag): Promise<WireImage> {
  const id = String(image.id);
  const name = adoptedOwnerTag(tag);
  await addOwnTag(cloud, id, name);
  // Each is this image's alone.
  for (const old of ownTagsOf(image)) await cloud.client.deleteTag(old);
  cloud.reads.wrote(id);
  return { ...image, tags: [...(image.tags ?? []).filter(one => !ownTagsOf(image).includes(one)), name] };
}
