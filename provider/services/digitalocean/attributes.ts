import type { ImageFacts, Values } from "../service.ts";
import type { UpdateBody, WireImage } from "./client.ts";
import { isOwnTag } from "./ownership.ts";

/** The image's tags, without this provider's own. */
export function userTags(image: WireImage): string[] {
  return (image.tags ?? []).filter(tag => !isOwnTag(tag)).sort();
}

/** What the service says, in the sdk's words. Source: the vendor's model `image`. */
export function factsOf(image: WireImage): ImageFacts {
  const facts: ImageFacts = {
    id: String(image.id),
    status: image.status,
    name: image.name,
    tags: userTags(image),
    regions: image.regions ?? [],
    description: image.description ?? "",
    // The sdk's word for it: nobody but DigitalOcean itself has public images.
    visibility: image.public ? "public" : "private",
  };
  const others = {
    distribution: image.distribution,
    imageType: image.type,
    slug: image.slug,
    minDisk: image.min_disk_size,
    sizeGigabytes: image.size_gigabytes,
    createdAt: image.created_at,
  };
  for (const [name, value] of Object.entries(others)) if (value !== null && value !== undefined) facts[name] = value;
  return facts;
}

/** An image that is no longer one: deleted, or never imported. */
export function isDeleted(image: WireImage): boolean {
  return image.status === "deleted";
}

/** The body of "Update an image": just what differs. */
export function updateBody(actual: ImageFacts, wanted: Values): UpdateBody {
  const body: UpdateBody = {};
  for (const name of ["name", "description", "distribution"] as const) {
    const value = wanted[name];
    if (typeof value === "string" && value !== actual[name]) body[name] = value;
  }
  return body;
}

/** Tags to put on and to take off. */
export function tagChanges(actual: ImageFacts, wanted: Values): { add: string[]; remove: string[] } {
  if (!Array.isArray(wanted.tags)) return { add: [], remove: [] };
  const has = (actual.tags as string[] | undefined) ?? [];
  const wants = wanted.tags as string[];
  const [lowerHas, lowerWants] = [new Set(has.map(lower)), new Set(wants.map(lower))];
  return {
    add: wants.filter(tag => !lowerHas.has(lower(tag))),
    remove: has.filter(tag => !lowerWants.has(lower(tag))),
  };
}

/** Regions that an image isn't in yet. */
export function regionsMissing(actual: ImageFacts, wanted: Values): string[] {
  const has = (actual.regions as string[] | undefined) ?? [];
  return ((wanted.regions as string[] | undefined) ?? []).filter(region => !has.includes(region));
}

/** The capital letters of a tag are those of whoever used it first: `Prod` and `prod` are one tag. */
export function sameTag(one: unknown, other: unknown): boolean {
  return lower(String(one)) === lower(String(other));
}

/** Lists are sets: their order means nothing. */
export function sameTags(actual: unknown, wanted: unknown): boolean {
  return sameSet(
    Array.isArray(actual) ? actual.map(lower) : actual,
    Array.isArray(wanted) ? wanted.map(lower) : wanted,
  );
}

export function sameSet(actual: unknown, wanted: unknown): boolean {
  if (!Array.isArray(actual) || !Array.isArray(wanted)) return actual === wanted;
  return actual.length === wanted.length && wanted.every(entry => actual.includes(entry));
}

function lower(text: string): string {
  return text.toLowerCase();
}
