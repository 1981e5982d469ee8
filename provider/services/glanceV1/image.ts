import { ImagesError } from "../../errors.ts";
import type { Begun, ImageAdapter, Phase } from "../../reconcile/adapter.ts";
import { type Carrier, imageIdsOf, isOwnId, type Ownership, type OwnerTag } from "../../reconcile/ownership.ts";
import { noLongerThanLeftover } from "../../wait.ts";
import { adoptedOwner, ownerProperties, unfinishedOwner } from "../glance/ownership.ts";
import { gone } from "../lost.ts";
import type { ImageOrder, Job, Values } from "../service.ts";
import { factsOf, fieldsOf, propertiesOf, type WireImage } from "./attributes.ts";
import type { GlanceV1Cloud } from "./cloud.ts";
import { fill, holds, uploadTries } from "./data.ts";
import { deleteImage } from "./delete.ts";
import { update } from "./update.ts";
import { isGone, untilSettled } from "./waiting.ts";

/** What the Image API v1 can do with an image. */
export function imageAdapter(cloud: GlanceV1Cloud): ImageAdapter<WireImage> {
  const present = (image: WireImage | undefined) => (isGone(image) ? undefined : image);
  return {
    findOwned: (order, earlier) => findOwned(cloud, order, earlier),
    get: async id => present(await cloud.client.get(id)),
    look: async (id, earlier) => present(await cloud.reads.read(id.toLowerCase(), earlier)),
    factsOf,
    ownershipOf,
    phase,
    canBecome,
    begin: order => begin(cloud, order),
    settled: (image, job) => settled(cloud, image, job),
    async fill(image, order, job, fresh) {
      if (fresh) demandOwner(image, order.values);
      return { image: await fill(cloud, image, order, job) };
    },
    holds: (image, order, job) => holds(image, order, job),
    finish: (image, order, job, fresh) => finish(cloud, image, order, job, fresh),
    claim: (image, tag) => claim(cloud, image, tag),
    delete: (id, options, job) => deleteImage(cloud, id, options, job),
    carrier: () => cloud.carrier,
    attempts: uploadTries,
  };
}

/** What an image says of its owner. */
export function ownershipOf({ properties = {} }: WireImage): Ownership {
  const { resource, stack, unfinished, adopted } = ownerProperties;
  return {
    ...(properties[resource] ? { resource: properties[resource] } : {}),
    ...(properties[stack] ? { stack: properties[stack] } : {}),
    unfinished: Boolean(properties[unfinished]),
    adopted: Boolean(properties[adopted]),
    carrier: properties[resource] ? "properties" : "none",
  };
}

function phase({ status }: WireImage): Phase {
  if (status === "active") return "ready";
  return status === "queued" ? "empty" : "failed";
}

function canBecome({ id, disk_format, container_format }: WireImage, { values }: ImageOrder): boolean {
  const { imageId, diskFormat, containerFormat } = values;
  return (
    (imageId === undefined || id === String(imageId).toLowerCase()) &&
    (diskFormat === undefined || disk_format === diskFormat) &&
    (containerFormat === undefined || container_format === containerFormat)
  );
}

/** A snapshot or a foreign copy inherits the owner tag, but never an id that this provider chose. */
async function findOwned(cloud: GlanceV1Cloud, order: ImageOrder, earlier: boolean): Promise<WireImage[]> {
  const chosen = (order.values.imageId as string | undefined)?.toLowerCase();
  const found = await cloud.owned.find(order, { earlier });
  const own: WireImage[] = [];
  for (const image of found) {
    const isChosen = isOwnId(image.id) || image.id === chosen || ownershipOf(image).adopted;
    if (isChosen && (await isOurs(cloud, image, order.values))) own.push(image);
  }
  return own;
}

/** Another project may have shared an image with the same tag; an admin may make images for another project. */
async function isOurs(cloud: GlanceV1Cloud, { owner }: WireImage, values: Values): Promise<boolean> {
  return owner === (await cloud.projectId()) || (values.owner !== undefined && owner === values.owner);
}

/** Makes the image's record. The service's "already exists" tells a run that another one was faster. */
async function begin(cloud: GlanceV1Cloud, order: ImageOrder): Promise<Begun<WireImage>> {
  const { values, ownerTag } = order;
  const chosen = (values.imageId as string | undefined)?.toLowerCase();
  const finished: WireImage[] = [];
  for (const id of chosen === undefined ? imageIdsOf(ownerTag, false) : [chosen]) {
    const made = await whereAllowed(cloud, carrier => {
      const owner = unfinishedOwner(ownerTag, carrier);
      const properties = { ...(values.properties as Record<string, string> | undefined), ...owner };
      return cloud.client.reserve({ id, ...fieldsOf(values) }, properties);
    });
    if (made !== undefined) return { image: made, fresh: true, finished };
    // 409: there is, or there was, an image with this id.
    const existing = await cloud.client.get(id);
    const own = !isGone(existing) && (await isOurs(cloud, existing, values)) ? ownershipOf(existing) : undefined;
    if (own?.resource === ownerTag.resource) {
      if (own.unfinished) return { image: existing as WireImage, fresh: false, finished };
      finished.push(existing as WireImage);
    }
    if (chosen !== undefined) throw usedId(chosen, existing);
  }
  throw new ImagesError("conflict", "found no free image id");
}

/** Writes an owner tag, unless the cloud forbids its properties (Glance's property protections): then the image goes without. */
async function whereAllowed<T>(cloud: GlanceV1Cloud, write: (carrier: Carrier) => Promise<T>): Promise<T> {
  try {
    return await write(cloud.carrier);
  } catch (error) {
    const isRefused = error instanceof ImagesError && error.status === 403 && error.message.includes("pulumi_images_");
    if (!isRefused || cloud.carrier === "none") throw error;
    const result = await write("none");
    cloud.carrier = "none";
    return result;
  }
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

/** Brings the fields of an image with the right data to what is ordered, then removes its unfinished marker. */
async function finish(
  cloud: GlanceV1Cloud,
  filled: WireImage,
  order: ImageOrder,
  job: Job,
  fresh: boolean,
): Promise<WireImage | undefined> {
  if (!fresh) {
    const change = { actual: factsOf(filled), wanted: order.values, removedProperties: [] };
    await update(cloud, filled.id, change, job, filled);
  }
  return await cloud.writes.run(filled.id, () => release(cloud, filled, fresh));
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

/**
 * Removes an image's unfinished marker, by writing all its other properties.
 * @param known the image as the last answer had it
 * @param fresh nobody else has written to it since
 * @returns undefined where another run has removed it first
 */
async function release(cloud: GlanceV1Cloud, known: WireImage, fresh: boolean): Promise<WireImage | undefined> {
  const image = fresh ? known : await cloud.client.get(known.id);
  if (isGone(image)) throw gone(known.id);
  const { [ownerProperties.unfinished]: marker, ...rest } = propertiesOf(image);
  if (marker !== undefined) return await cloud.client.update(image.id, {}, rest, true);
  return ownershipOf(known).unfinished ? undefined : image;
}

/** Writes an owner tag in the place of what the image says of its owner. */
async function claim(cloud: GlanceV1Cloud, image: WireImage, tag: OwnerTag): Promise<WireImage> {
  return await cloud.writes.run(image.id, async () => {
    const now = (await cloud.client.get(image.id)) ?? image;
    const { [ownerProperties.unfinished]: _, ...rest } = propertiesOf(now);
    return await whereAllowed(cloud, async carrier =>
      carrier === "none" ? now : await cloud.client.update(image.id, {}, { ...rest, ...adoptedOwner(tag) }, true),
    );
  });
}
