import type { Kind } from "../../provider/fields/field.ts";

/** What a drift means to those who use the image: the most urgent first. */
export const driftClasses = ["security", "availability", "metadata"] as const;
export type DriftClass = (typeof driftClasses)[number];

/** A field of a resource that isn't what it was; undefined stands for: not there. */
export interface FieldChange {
  kind: Kind;
  /** The output's name, e.g. `visibility`. */
  field: string;
  /** What the state holds. */
  old: unknown;
  /** What is there now. */
  new: unknown;
}

/** What the change of a field means. One change can mean several things: a member exchanged for another is an intruder and a loss. */
export function classesOf(change: FieldChange): DriftClass[] {
  const found = new Set(meaningsOf(change));
  return found.size === 0 ? ["metadata"] : driftClasses.filter(each => found.has(each));
}

/** What it means that the thing itself is gone. */
export function classesOfLoss(kind: Kind): DriftClass[] {
  return kind === "ImageTag" ? ["metadata"] : ["availability"];
}

function meaningsOf({ kind, field, old, new: now }: FieldChange): DriftClass[] {
  switch (field) {
    case "visibility":
      return reach(now) > reach(old) ? ["security"] : ["availability"];
    case "isPublic":
    case "shared":
    case "canShare":
      return now === true ? ["security"] : ["availability"];
    case "protected":
      return now === true ? ["metadata"] : ["security"];
    // An image that was taken out of use and is back in it can be booted and downloaded again.
    case "state":
    case "status":
      return statusMeaning(kind, old, now);
    // Who owns an image decides about it; how its data is to be read, or which image it really is, decides what is in it.
    case "owner":
    case "ownerId":
    case "account":
    case "diskFormat":
    case "containerFormat":
    case "cloudImageId":
    case "blockDeviceMapping":
      return ["security"];
    case "content":
    case "digest":
    case "checksum":
    case "hashValue":
    case "size":
      return isLost(now) ? ["availability"] : ["security"];
    case "members":
      return [
        ...addedTo(old, now).map(() => "security" as const),
        ...addedTo(now, old).map(() => "availability" as const),
      ];
    case "stores":
    case "regions":
      return addedTo(now, old).length > 0 ? ["availability"] : ["metadata"];
    case "properties":
      return changedKeys(old, now).some(key => guards.test(key)) ? ["security"] : ["metadata"];
    // What a copy is to be like, field by field as an image's.
    case "metadata":
      return changedKeys(old, now).flatMap(key =>
        meaningsOf({ kind, field: key, old: entry(old, key), new: entry(now, key) }),
      );
    default:
      return ["metadata"];
  }
}

/** How many may use an image; a word that isn't known is taken for the widest. */
function reach(visibility: unknown): number {
  const known = ["private", "shared", "community", "public"].indexOf(String(visibility ?? "private"));
  return known < 0 ? Number.POSITIVE_INFINITY : known;
}

/** The words by which the services say that something works as it should. */
const working = ["active", "available", "accepted", "replicated"];

function statusMeaning(kind: Kind, old: unknown, now: unknown): DriftClass[] {
  if (!working.includes(String(now))) return ["availability"];
  return kind === "Image" && String(old) === "deactivated" ? ["security"] : ["metadata"];
}

/** A digest that isn't there any more, no bytes, or what the provider writes of data that is gone. */
function isLost(now: unknown): boolean {
  return now === undefined || now === null || now === "" || now === 0 || String(now).startsWith("none");
}

/**
 * Properties by which a cloud checks or protects what boots. Sources: the Image service's "Image signature verification", and the compute
 * service's useful image properties.
 */
const guards =
  /^(img_signature.*|os_secure_boot|hw_firmware_type|hw_tpm_.*|hw_mem_encryption.*|cinder_encryption_key_id|trait:.*)$/;

function addedTo(before: unknown, after: unknown): unknown[] {
  const known = new Set(list(before).map(sameCase));
  return list(after).filter(one => !known.has(sameCase(one)));
}

/** The letter case of an id says nothing. */
function sameCase(one: unknown): unknown {
  return typeof one === "string" ? one.toLowerCase() : one;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function changedKeys(old: unknown, now: unknown): string[] {
  const keys = new Set([old, now].flatMap(value => Object.keys((value ?? {}) as object)));
  return [...keys].filter(key => JSON.stringify(entry(old, key)) !== JSON.stringify(entry(now, key)));
}

function entry(value: unknown, key: string): unknown {
  return ((value ?? {}) as Record<string, unknown>)[key];
}
