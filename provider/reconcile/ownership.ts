import { createHash } from "node:crypto";
import { urnOf } from "../../shared/resourceName.ts";

/** Says which resource an image belongs to. Each image that a create makes carries one. */
export interface OwnerTag {
  /** Digest of the resource's URN and generation, 32 hex digits. */
  resource: string;
  /** Digest of the stack and project, 32 hex digits. */
  stack: string;
}

/** How an image carries its owner tag: as properties, as image tags where properties are forbidden, or not at all. */
export type Carrier = "properties" | "tags" | "none";

/** What an image says of its owner. */
export interface Ownership extends Partial<OwnerTag> {
  /** A create began this image and has not finished it. */
  unfinished: boolean;
  /** The owner tag was written by an adoption. */
  adopted: boolean;
  carrier: Carrier;
}

/**
 * The owner tag of a resource. A repeated create works out the same one, so it finds what an interrupted run began.
 * @param resource as the resource's input of that name says it
 * @param generation how often this resource has been replaced: it tells the new image from the one it replaces
 */
export function ownerTagOf(resource: string, generation: number): OwnerTag {
  const urn = urnOf(resource);
  return { resource: resourceTagOf(urn, generation), stack: digest(urn.split("::").slice(0, 2).join("::")) };
}

/** The same of a resource's inputs or outputs. */
export function ownerTagFrom({ resource, generation }: Record<string, unknown>): OwnerTag {
  return ownerTagOf(String(resource), Number(generation ?? 0));
}

function resourceTagOf(urn: string, generation: number): string {
  return digest(`${urn}#${generation}`);
}

/** A resource is hardly replaced more often between its state's loss and the next look. */
const laterGenerations = 12;

/**
 * The resource parts of the owner tags that this resource's next replacements would get. Where its state was lost, or is an older one, they are
 * on images that it made later.
 */
export function laterTagsFrom({ resource, generation }: Record<string, unknown>): string[] {
  const urn = urnOf(String(resource));
  const next = Number(generation ?? 0) + 1;
  return Array.from({ length: laterGenerations }, (_, n) => resourceTagOf(urn, next + n));
}

/** Whether an image is an order's own unfinished work: what a later replacement of its resource left isn't. */
export function isUnfinishedOf({ ownerTag }: { ownerTag: OwnerTag }, { resource, unfinished }: Ownership): boolean {
  return unfinished && resource === ownerTag.resource;
}

/** Whether an owner tag is the one of an order, or of a later replacement. */
export function isTagOf(
  { ownerTag, laterTags = [] }: { ownerTag: OwnerTag; laterTags?: readonly string[] | undefined },
  resource: string | undefined,
): boolean {
  return resource !== undefined && (resource === ownerTag.resource || laterTags.includes(resource));
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** The id of a resource's very first image. That it is taken says that the resource was made before, on whatever day. */
export function firstImageIdOf(tag: OwnerTag): string {
  return uuidOf(tag.resource);
}

/**
 * The id of a resource's later image. Two runs that create it at the same time work out the same id, so the server's
 * "already exists" is the lock between them. The id of a deleted image can't be used again (Glance keeps the row), hence
 * the attempt; the day keeps the attempts few for an image that is destroyed and made again for years.
 */
export function imageIdOf(tag: OwnerTag, day: string, attempt: number): string {
  return uuidOf(`${tag.resource}/${day}/${attempt}`);
}

/** So many ids are tried, and then any: who guesses ids and takes them first can't keep an image from being made. */
const workedOutIds = 100;

/**
 * The ids that a resource's image can get, in the order in which they are tried.
 * @param first whether the very first id is one of them
 */
export function* imageIdsOf(tag: OwnerTag, first: boolean): Generator<string> {
  if (first) yield firstImageIdOf(tag);
  const day = new Date().toISOString().slice(0, 10);
  for (let attempt = 0; attempt < workedOutIds; attempt++) yield imageIdOf(tag, day, attempt);
  for (let attempt = 0; attempt < 5; attempt++) yield uuidOf(`${tag.resource}/${crypto.randomUUID()}`);
}

function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  // The form of a UUID of version 8 (RFC 9562: "custom"), since servers check it.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Whether this provider chose an id. A snapshot of an instance, or a copy by the service's own means, inherits the owner
 * tag with the other properties, but the service chooses its id: it is never what an interrupted run began.
 */
export function isOwnId(id: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/.test(id);
}

/** What a state records of the owner tag that its resource wrote. */
export function recordOf({ resource, carrier }: Pick<Ownership, "resource" | "carrier">): string {
  if (resource === undefined || carrier === "none") return "none";
  return carrier === "tags" ? `tag:${resource}` : resource;
}

/** Whose image a resource's state says it is. */
export interface ExpectedOwner {
  tag: OwnerTag;
  /** The state records which owner tag was written; states of earlier versions don't. */
  recorded: string | undefined;
}

/** @param outputs of the resource, as its state has them */
export function expectedOwner(outputs: Record<string, unknown>): ExpectedOwner {
  return {
    tag: ownerTagFrom(outputs),
    recorded: typeof outputs.ownerTag === "string" ? outputs.ownerTag.replace(/^tag:/, "") : undefined,
  };
}

/** Whether an image belongs to another resource than the state that has it. A missing owner tag says nothing. */
export function isAnothers(
  { resource, adopted }: Pick<Ownership, "resource" | "adopted">,
  { tag, recorded }: ExpectedOwner,
): boolean {
  if (resource === undefined || resource === (recorded ?? tag.resource)) return false;
  // An earlier version let an update forget which URN the tag was made from: after a rename it was another one. That version adopted
  // without a tag, so one that an adoption wrote is somebody else's.
  return recorded !== undefined || adopted;
}
