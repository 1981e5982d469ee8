import { createHash, randomBytes } from "node:crypto";
import type { Ownership, OwnerTag } from "../../reconcile/ownership.ts";
import type { ImageOrder } from "../service.ts";
import type { WireImage } from "./client.ts";

/**
 * Tags that begin like this are this provider's own: no program sees them among an image's tags, and none can use such a name. An owner
 * tag stays on its image as long as that lives, and is deleted with it.
 */
export const ownPrefix = "pulumi-images:";

/** `pulumi-images:<resource>:<content>`, and from version 0.1.0 on `:<stack>:<a number of the image's own>`. */
const ownerForm = /^pulumi-images:([0-9a-f]{32}):([0-9a-f]{16})(?::([0-9a-f]{32}):[0-9a-f]{8})?$/;
const markerForm = /^pulumi-images:[0-9a-f]{32}:unfinished:[0-9a-f]{8}$/;

/** What stands for the content of an adopted image, of which nothing is known. */
const unknownContent = "0".repeat(16);

export function isOwnTag(tag: string): boolean {
  return tag.toLowerCase().startsWith(ownPrefix);
}

/**
 * A new owner tag, in the form of a tag's name. DigitalOcean reports no digest of what it holds, so the tag says what the image was made from.
 * No two images have the same one, so that it can be deleted with its image.
 */
export function newOwnerTag(order: ImageOrder): string {
  return nameOf(order.ownerTag, contentOf(order));
}

/** An owner tag for an image that is adopted. */
export function adoptedOwnerTag(tag: OwnerTag): string {
  return nameOf(tag, unknownContent);
}

function nameOf({ resource, stack }: OwnerTag, content: string): string {
  return `${ownPrefix}${resource}:${content}:${stack}:${randomBytes(4).toString("hex")}`;
}

/** The tag that says that a create has not finished its image. */
export function newMarker({ resource }: OwnerTag): string {
  return `${ownPrefix}${resource}:unfinished:${randomBytes(4).toString("hex")}`;
}

export function markersOf(image: WireImage): string[] {
  return (image.tags ?? []).filter(tag => markerForm.test(tag));
}

export function ownTagsOf(image: WireImage): string[] {
  return (image.tags ?? []).filter(isOwnTag);
}

/** What an image says of its owner. A droplet's snapshot can't be made with tags: until it is finished, its name is its owner tag. */
export function ownershipOf(image: WireImage): Ownership {
  const name = ownerForm.exec(image.name);
  const found = (image.tags ?? []).map(tag => ownerForm.exec(tag)).find(match => match !== null) ?? name;
  const [, resource, content, stack] = found ?? [];
  return {
    ...(resource === undefined ? {} : { resource }),
    ...(stack === undefined ? {} : { stack }),
    unfinished: name !== null || markersOf(image).length > 0,
    adopted: content === unknownContent,
    carrier: "properties",
  };
}

/** Whether an image was made from what the order says, as far as it carries that. */
export function isMadeFrom(image: WireImage, order: ImageOrder): boolean {
  const contents = [image.name, ...(image.tags ?? [])]
    .map(text => ownerForm.exec(text)?.[2])
    .filter(content => content !== undefined && content !== unknownContent);
  return contents.length === 0 || contents.includes(contentOf(order));
}

function contentOf({ values: { dropletId }, data }: ImageOrder): string {
  const origin = dropletId === undefined ? String(data?.content) : `droplet:${String(dropletId)}`;
  return createHash("sha256").update(origin).digest("hex").slice(0, 16);
}
