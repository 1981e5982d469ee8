import type { ImageFacts, Values } from "../service.ts";
import type { Dialect } from "./dialect.ts";
import { isOwnerImageTag, isOwnerProperty } from "./ownership.ts";

/** An image as the Image API v2 writes it. Source: docs.openstack.org/api-ref/image/v2 "Show image". */
export type WireImage = { id: string; status: string } & Record<string, unknown>;

/** The sdk's name of each attribute that a program may declare, and the API's. */
const declarable = {
  name: "name",
  diskFormat: "disk_format",
  containerFormat: "container_format",
  minDisk: "min_disk",
  minRam: "min_ram",
  visibility: "visibility",
  protected: "protected",
  hidden: "os_hidden",
  tags: "tags",
} as const;

/** Attributes that only the server sets. */
const reported = {
  size: "size",
  virtualSize: "virtual_size",
  checksum: "checksum",
  hashAlgorithm: "os_hash_algo",
  hashValue: "os_hash_value",
  owner: "owner",
  createdAt: "created_at",
  updatedAt: "updated_at",
  file: "file",
  schema: "schema",
  self: "self",
  directUrl: "direct_url",
} as const;

/** Keys at the top level of an image that aren't properties of the user. */
const baseAttributes = new Set<string>([
  "id",
  "status",
  "stores",
  "locations",
  "container_format",
  "location",
  "deleted",
  "deleted_at",
  "backend",
  ...Object.values(declarable),
  ...Object.values(reported),
]);

/** Whether a property's name is the Image API's own, or the vendor's, so that a program can't use it. */
export function isReserved(property: string, dialect?: Dialect): boolean {
  const vendors = dialect !== undefined && Object.hasOwn(dialect.extraOutputs, property);
  return baseAttributes.has(property) || property.startsWith("os_glance") || vendors || isOwnerProperty(property);
}

/** The field that a program has to use instead of a property of the same meaning, if there is one. */
export function fieldOf(property: string): string | undefined {
  return Object.entries(declarable).find(([, wire]) => wire === property)?.[0];
}

/** What the server says, in the sdk's words. */
export function factsOf(image: WireImage, dialect: Dialect): ImageFacts {
  const facts: ImageFacts = { id: image.id, status: image.status };
  for (const [field, wire] of Object.entries({ ...declarable, ...reported })) {
    const value = image[wire];
    if (value !== null && value !== undefined) facts[field] = typed(field, value);
  }
  if (Array.isArray(facts.tags)) facts.tags = facts.tags.filter(tag => !isOwnerImageTag(String(tag))).sort();
  if (dialect.state) facts.state = image.status === "deactivated" ? "deactivated" : "active";
  const stores = storesOf(image);
  // A deactivated image doesn't show its owner where its data is.
  if (stores.length > 0) facts.stores = stores;
  if (Array.isArray(image.locations) && image.locations.length > 0) {
    facts.locations = image.locations.map(location => withoutCredentials((location as { url?: unknown } | null)?.url));
  }
  if (facts.directUrl !== undefined) facts.directUrl = withoutCredentials(facts.directUrl);
  const properties: Record<string, string> = {};
  for (const [key, value] of Object.entries(image)) {
    const extra = Object.hasOwn(dialect.extraOutputs, key) ? dialect.extraOutputs[key] : undefined;
    if (extra !== undefined) {
      if (value !== null && value !== undefined) facts[extra] = value;
    } else if (!isReserved(key, dialect) && value !== null && value !== undefined) properties[key] = String(value);
  }
  facts.properties = properties;
  return facts;
}

const numbers: readonly string[] = ["minDisk", "minRam", "size", "virtualSize"];
const flags: readonly string[] = ["protected", "hidden"];

/** Front ends and older services write some numbers and flags as text. */
function typed(field: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (numbers.includes(field) && /^\d+$/.test(value)) return Number(value);
  if (flags.includes(field) && /^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
  return value;
}

/** `stores` is one text on the wire: "fast,slow". */
export function storesOf(image: WireImage): string[] {
  return typeof image.stores === "string" && image.stores !== "" ? image.stores.split(",").sort() : [];
}

/** A location may hold the password of a store's back end (swift+https://user:key@…): not for a state file. */
function withoutCredentials(url: unknown): string {
  return String(url ?? "").replace(/^([a-z0-9+.-]+:\/\/)[^/@]*@/i, "$1");
}

/** The body of "Create image", without an owner tag. */
export function createBody(values: Values, id: string): Record<string, unknown> {
  const body: Record<string, unknown> = { id };
  for (const [field, wire] of Object.entries(declarable)) {
    if (values[field] !== undefined && values[field] !== null) body[wire] = values[field];
  }
  return { ...body, ...(values.properties as Record<string, string> | undefined) };
}

/** One operation of "Update image" (RFC 6902's subset that Glance knows). */
export interface PatchOperation {
  op: "add" | "replace" | "remove";
  path: string;
  value?: unknown;
}

/**
 * The smallest patch that brings an image from what it is to what is wanted.
 * @param removed properties that have to go
 */
export function patchOf(actual: ImageFacts, wanted: Values, removed: readonly string[]): PatchOperation[] {
  const patch: PatchOperation[] = [];
  for (const [field, wire] of Object.entries(declarable)) {
    const value = wanted[field];
    if (value === undefined || value === null || sameValue(actual[field], value)) continue;
    patch.push({ op: "replace", path: `/${wire}`, value });
  }
  const properties = (actual.properties ?? {}) as Record<string, string>;
  for (const [key, value] of Object.entries((wanted.properties ?? {}) as Record<string, string>)) {
    // "add" also overwrites, so it is right whether or not somebody removed the property meanwhile.
    if (properties[key] !== value) patch.push({ op: "add", path: `/${pointer(key)}`, value });
  }
  for (const key of removed) {
    if (properties[key] !== undefined) patch.push({ op: "remove", path: `/${pointer(key)}` });
  }
  return patch;
}

/** Lists on the Image API are sets: their order means nothing. */
export function sameValue(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(actual) && Array.isArray(wanted)) {
    return actual.length === wanted.length && wanted.every(entry => actual.includes(entry));
  }
  return actual === wanted;
}

/** A key as one step of a JSON pointer (RFC 6901). */
function pointer(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
