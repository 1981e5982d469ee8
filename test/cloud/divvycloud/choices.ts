/**
 * What no document says about DivvyCloud (Rapid7 InsightCloudSec), and how the local one does it. Only here: whoever learns better has one
 * file to change. What is documented is in the vendor's Swagger file and in the vendor's own clients.
 */

/** Words of an image's `state`. */
export const IMAGE_STATES = ["available", "pending", "failed", "deregistered"] as const;
export type ImageState = (typeof IMAGE_STATES)[number];

/** Words of `root_device_type` and `virtualization_type`. */
export type RootDevice = "ebs" | "instance-store" | "snapshot";
export type Virtualization = "hvm" | "paravirtual";

/** A resource's id has four parts between colons, and a colon at the end. Documented for instances; the same is taken for images. */
export function resourceId(type: string, organizationServiceId: number, region: string, providerId: string): string {
  return `${type}:${organizationServiceId}:${region}:${providerId}:`;
}

/** Statuses of errors, and the body: clients are to act on the status only. */
export const STATUS = {
  badBody: 400,
  /** A request without `Content-Type: application/json`, which is marked as required even for GET. */
  noContentType: 400,
  badCredentials: 401,
  noPermission: 403,
  missing: 404,
  /** "Not implemented by Amazon", says the document of an instance's snapshot. */
  notImplemented: 501,
} as const;

/** The document of an error. */
export function errorBody(type: string, message: string) {
  return { error_type: type, error_message: message };
}

/** `session_timeout` counts minutes, and starts again with each request. */
export const SESSION_TIMEOUT_UNIT_MS = 60_000;

/** The most that one page holds: in v2 as in the vendor's scripts, in v3 as documented. */
export const MAX_LIMIT = { v2: 100, v3: 1000 } as const;

/** A deletion goes through the job queue: the call answers at once, the resource is there until the job is done. */
export const DELETE_ANSWER = {};

/** A snapshot of an instance answers with nothing, and the image is `pending` until it is done. */
export const SNAPSHOT_PENDING: ImageState = "pending";

/** Where an image's own attributes are: beside `common`, under the names of the vendor's document of the resource. */
export function placeAttributes<T extends object>(common: object, attributes: T): T & { common: object } {
  return { common, ...attributes };
}

/** The cloud type whose instances can't be made into images. */
export const AMAZON = "AWS";
