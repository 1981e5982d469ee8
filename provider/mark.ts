import { createHash } from "node:crypto";
import { urnOf } from "../shared/resourceName.ts";
import type { Mark } from "./services/service.ts";

/**
 * A mark tells an image of one resource from all others, so that a create that was killed and is repeated finds what it made.
 * It is worked out from the resource's urn, which a repeat has again, and from its generation, which tells the replacement of
 * an image from the image that it replaces.
 * @param resource as the resource's input of that name says it
 * @param generation how often this resource has been replaced
 */
export function markOf(resource: string, generation: number): Mark {
  const urn = urnOf(resource);
  return { resource: digest(`${urn}#${generation}`), stack: digest(urn.split("::").slice(0, 2).join("::")) };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/**
 * The id of a resource's very first image. That it is used tells that the resource has been made before, on whatever day.
 */
export function firstImageIdOf(mark: Mark): string {
  return uuidOf(mark.resource);
}

/**
 * The id of a resource's image: the same for everyone who creates it at the same time, so that the server's own "already
 * exists" is the lock between them. An id can never be used again once its image is deleted (Glance keeps the row),
 * hence the try; the day keeps the number of tries small for an image that is destroyed and made again for years.
 */
export function imageIdOf(mark: Mark, day: string, attempt: number): string {
  return uuidOf(`${mark.resource}/${day}/${attempt}`);
}

function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  // The form of a UUID of version 8 (RFC 9562: "custom"), since servers check it.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Whether an id is one that this provider gave. A snapshot of an instance, or a copy by the service's own means, takes the marks along with
 * the other properties, but its id is the service's: it must never be taken for what an interrupted run left.
 */
export function isOwnId(id: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/.test(id);
}
