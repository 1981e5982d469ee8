import { ImagesError } from "../../errors.ts";
import type { Carrier, OwnerTag } from "../../reconcile/ownership.ts";
import { gone } from "../lost.ts";
import type { ImageOrder } from "../service.ts";
import { createBody, type PatchOperation, type WireImage } from "./attributes.ts";
import type { GlanceCloud } from "./cloud.ts";
import {
  adoptedOwner,
  asImageTags,
  isOwnerImageTag,
  ownerProperties,
  ownershipOf,
  unfinishedOwner,
} from "./ownership.ts";

/** What carries an owner tag where the one before it is forbidden. */
const weaker: Record<Carrier, Carrier | undefined> = { properties: "tags", tags: "none", none: undefined };

/**
 * Makes the record of an image, with its owner tag and the unfinished marker. A cloud may forbid the properties that carry them
 * (Glance's property protections), and image tags too: which it takes is learned from its refusals.
 * @returns undefined where the id is used, or was
 */
export async function createOwned(cloud: GlanceCloud, order: ImageOrder, id: string): Promise<WireImage | undefined> {
  return await withCarrier(cloud, async carrier => {
    const owner = unfinishedOwner(order.ownerTag, carrier);
    const body = createBody(order.values, id);
    if (carrier !== "tags") return await cloud.client.create({ ...body, ...owner });
    const tags = [...((body.tags as string[] | undefined) ?? []), ...asImageTags(owner)];
    return await cloud.client.create({ ...body, tags });
  });
}

/** Writes by the strongest carrier that the cloud takes. */
async function withCarrier<T>(cloud: GlanceCloud, write: (carrier: Carrier) => Promise<T>): Promise<T> {
  const { carrier } = cloud;
  try {
    return await write(carrier);
  } catch (error) {
    const next = isRefused(carrier, error) ? weaker[carrier] : undefined;
    if (next === undefined) throw error;
    cloud.carrier = next;
    try {
      return await withCarrier(cloud, write);
    } catch (later) {
      // It wasn't for the owner tag that the cloud refused the write.
      cloud.carrier = carrier;
      throw carrier === "tags" ? error : later;
    }
  }
}

function isRefused(carrier: Carrier, error: unknown): boolean {
  if (!(error instanceof ImagesError)) return false;
  if (carrier === "properties") return error.status === 403 && error.message.includes("pulumi_images_");
  return error.status === 400 || error.status === 403 || error.status === 413;
}

/**
 * Removes an image's unfinished marker. Who removes it owns the image: a run that finds it removed is told so.
 * @returns the image as the answer has it; undefined where another run was first
 */
export async function release(cloud: GlanceCloud, image: WireImage): Promise<WireImage | undefined> {
  const { unfinished, carrier } = ownershipOf(image);
  if (!unfinished) return await present(cloud, image.id);
  const patch: PatchOperation[] =
    carrier === "tags"
      ? [{ op: "replace", path: "/tags", value: tagsOf(image).filter(tag => !isMarker(tag)) }]
      : [{ op: "remove", path: `/${ownerProperties.unfinished}` }];
  return await patchOnce(cloud, image.id, patch);
}

/** A 409 says that the property is gone: another run removed it, unless the answer to this one's own request was lost before. */
async function patchOnce(
  cloud: GlanceCloud,
  id: string,
  patch: readonly PatchOperation[],
): Promise<WireImage | undefined> {
  try {
    return await cloud.client.patchOnce(id, patch);
  } catch (error) {
    if (!(error instanceof ImagesError)) throw error;
    if (error.status === 409) return undefined;
    if (error.status === 404) throw gone(id);
    if (error.code !== "unavailable") throw error;
    const now = await present(cloud, id);
    return ownershipOf(now).unfinished ? await patchAgain(cloud, id, patch) : now;
  }
}

/** The request whose answer was lost may arrive late, even after the look: then this one finds its work done. */
async function patchAgain(cloud: GlanceCloud, id: string, patch: readonly PatchOperation[]): Promise<WireImage> {
  try {
    return await cloud.client.patch(id, patch);
  } catch (error) {
    if (error instanceof ImagesError && error.status === 409) return await present(cloud, id);
    throw error;
  }
}

/** Writes an owner tag in the place of what the image says of its owner. */
export async function claim(cloud: GlanceCloud, image: WireImage, tag: OwnerTag): Promise<WireImage> {
  const owner = adoptedOwner(tag);
  return await withCarrier(cloud, async carrier => {
    if (carrier === "none") return image;
    const tags = tagsOf(image);
    const kept = tags.filter(one => !isOwnerImageTag(one));
    const wanted = carrier === "tags" ? [...kept, ...asImageTags(owner)] : kept;
    const patch: PatchOperation[] = [];
    if (carrier === "properties") {
      for (const [name, value] of Object.entries(owner)) patch.push({ op: "add", path: `/${name}`, value });
      if (image[ownerProperties.unfinished] !== undefined)
        patch.push({ op: "remove", path: `/${ownerProperties.unfinished}` });
    }
    if (wanted.length !== tags.length || carrier === "tags")
      patch.push({ op: "replace", path: "/tags", value: wanted });
    return await cloud.client.patch(image.id, patch);
  });
}

function isMarker(tag: string): boolean {
  return tag.startsWith(`${ownerProperties.unfinished}=`);
}

function tagsOf(image: WireImage): string[] {
  return Array.isArray(image.tags) ? image.tags.map(String) : [];
}

async function present(cloud: GlanceCloud, id: string): Promise<WireImage> {
  const image = await cloud.client.get(id);
  if (image === undefined) throw gone(id);
  return image;
}
