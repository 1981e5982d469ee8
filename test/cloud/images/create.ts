import { randomUUID } from "node:crypto";
import { enforce, type ImageApi, pause, policyRefusal } from "./api.ts";
import type { Visibility } from "./dialect.ts";
import { HttpError } from "./errors.ts";
import { mustBeAllowed } from "./protections.ts";
import { checkPropertyCount, checkTagCount } from "./quota.ts";
import { validateImage } from "./schemas.ts";
import type { Caller, Image } from "./state.ts";

/** Fields that may be set, and aren't properties. */
const SETTABLE = [
  "id",
  "name",
  "visibility",
  "protected",
  "os_hidden",
  "owner",
  "disk_format",
  "container_format",
  "min_disk",
  "min_ram",
] as const;
const READ_ONLY_AT_CREATE = ["checksum", "created_at", "size", "virtual_size", "status", "updated_at"];
const NOT_ALLOWED = ["direct_url", "self", "file", "schema", "stores"];
const RESERVED = ["location", "deleted", "deleted_at"];
const LARGEST_INTEGER = 2 ** 31 - 1;

/** POST /v2/images: an image without data. @throws HttpError 400, 403, 409, 413 */
export async function createImage(api: ImageApi, caller: Caller, body: unknown): Promise<Image> {
  const { dialect, repo } = api;
  // A list is let through to where only objects work.
  if (Array.isArray(body)) throw new HttpError(500);
  if (typeof body === "object" && body !== null) {
    for (const key of NOT_ALLOWED) if (key in body) throw new HttpError(403, `Attribute '${key}' is read-only.`);
  }
  validateImage(dialect, body);
  const document = body as Record<string, unknown>;
  const properties: Record<string, string | null> = {};
  for (const [key, value] of Object.entries(document)) {
    if ((SETTABLE as readonly string[]).includes(key) || key === "tags") continue;
    if (READ_ONLY_AT_CREATE.includes(key)) throw new HttpError(403, `Attribute '${key}' is read-only.`);
    // Taken without a word, and without effect.
    if (key.startsWith("os_hash_")) continue;
    if (key === "locations") throw new HttpError(403, "Attribute 'locations' is reserved.");
    checkPropertyName(key);
    properties[key] = value as string | null;
  }
  checkText(document);
  const field = <T>(key: (typeof SETTABLE)[number], otherwise: T) =>
    document[key] === undefined ? otherwise : (document[key] as T);
  const owner = field<string | null>("owner", caller.projectId);
  if (!caller.roles.includes("member") && !caller.isAdmin) throw policyRefusal("add_image");
  if (owner !== caller.projectId && !caller.isAdmin) {
    throw new HttpError(403, { detail: `You are not permitted to create images owned by '${owner ?? "None"}'` });
  }
  const visibility = field<Visibility>("visibility", dialect.defaultVisibility);
  if (visibility === "public" && !caller.isAdmin) throw policyRefusal("publicize_image");
  enforce(api, "image_count_total", caller.projectId, 1);
  const tags = [...new Set((document.tags as string[] | undefined) ?? [])];
  for (const name of Object.keys(properties)) {
    mustBeAllowed(api.settings.propertyProtections, name, "create", caller);
  }
  checkPropertyCount(api, properties);
  checkTagCount(api, tags);
  Object.assign(properties, dialect.stamp?.(caller));
  const now = repo.now();
  const image: Image = {
    id: field<string>("id", randomUUID()),
    name: field<string | null>("name", null),
    status: "queued",
    visibility,
    protected: field<boolean>("protected", false),
    os_hidden: field<boolean>("os_hidden", false),
    owner,
    disk_format: field<string | null>("disk_format", null),
    container_format: field<string | null>("container_format", null),
    min_disk: checkMinimum("min_disk", field<number>("min_disk", 0)),
    min_ram: checkMinimum("min_ram", field<number>("min_ram", 0)),
    size: null,
    virtual_size: null,
    checksum: null,
    os_hash_algo: null,
    os_hash_value: null,
    created_at: now,
    updated_at: now,
    tags,
    properties,
    locations: [],
  };
  await pause(api.settings.saveDelay);
  repo.add(image);
  return image;
}

/** @throws HttpError 400 for a minimum that no database takes */
export function checkMinimum(name: "min_disk" | "min_ram", value: number): number {
  if (value < 0) {
    throw new HttpError(400, `Invalid value '${value}' for parameter '${name}': Cannot be a negative value`);
  }
  if (value > LARGEST_INTEGER) {
    throw new HttpError(400, `'${name}' value out of range, must not exceed ${LARGEST_INTEGER}.`);
  }
  return value;
}

/** @throws HttpError 403 for a name that is Glance's own, 400 for one too long */
export function checkPropertyName(key: string): void {
  if (key.length > 255) throw new HttpError(400, "Custom property should not be greater than 255 characters.");
  if (RESERVED.includes(key) || key.startsWith("os_glance"))
    throw new HttpError(403, { detail: `Attribute '${key}' is reserved.` });
}

/** @throws HttpError 400 for characters beyond the basic plane, which the database doesn't take */
export function checkText(fields: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(fields)) {
    if (!/[\u{10000}-\u{10FFFF}]/u.test(JSON.stringify(value) ?? "")) continue;
    throw new HttpError(400, `${key.charAt(0).toUpperCase()}${key.slice(1)} can't contain 4 byte unicode characters.`);
  }
}
