import type { IncomingHttpHeaders } from "node:http";
import { badRequest, HttpError } from "./errors.ts";
import type { Image } from "./state.ts";

/** Metadata as a request gives it: only what it names. */
export interface Metadata {
  id?: string;
  name?: string;
  disk_format?: string;
  container_format?: string;
  size?: number;
  checksum?: string;
  is_public?: boolean;
  protected?: boolean;
  min_ram?: number;
  min_disk?: number;
  owner?: string;
  location?: string;
  copy_from?: string;
  /** null: an empty header is no value. */
  properties: Record<string, string | null>;
}

/** Names that are accepted as x-image-meta-… on a write. Those that Metadata doesn't have are read by nobody (choice). */
const NAMES = [
  "location",
  "size",
  "is_public",
  "disk_format",
  "container_format",
  "name",
  "status",
  "copy_from",
  "uri",
  "checksum",
  "created_at",
  "updated_at",
  "deleted_at",
  "min_ram",
  "min_disk",
  "owner",
  "store",
  "id",
  "protected",
  "deleted",
  "virtual_size",
];

const DISK_FORMATS = ["ami", "ari", "aki", "vhd", "vmdk", "raw", "qcow2", "vdi", "iso"];
const CONTAINER_FORMATS = ["ami", "ari", "aki", "bare", "ovf", "ova", "docker"];
const AMAZON = ["ami", "ari", "aki"];
const MAX_PROPERTIES = 128;

/** What a header may be called (RFC 9110). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * Reads metadata from headers. Names are taken without regard to case, and `-` as `_`, as a WSGI server hands them on. Values are UTF-8 bytes,
 * which arrive here as one letter a byte. python-glanceclient alone percent-encodes names and values, since 2.12; whoever else sends a
 * percent sign means one.
 * @throws HttpError 400, 413
 */
export function fromHeaders(headers: IncomingHttpHeaders): Metadata {
  const encoded = /^python-glanceclient/.test(headers["user-agent"] ?? "");
  const decode = (bytes: string) => (encoded ? decodeURIComponent(utf8(bytes)) : utf8(bytes));
  const raw: Record<string, unknown> = {};
  const properties: Record<string, string | null> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (header === "x-glance-api-copy-from") raw.copy_from = decode(String(value));
    const [, key] = /^x-image-meta-(.+)$/.exec(header) ?? [];
    if (key === undefined) continue;
    const name = decode(key).toLowerCase().replaceAll("-", "_");
    if (name.startsWith("property_")) properties[name.slice("property_".length)] = decode(String(value)) || null;
    else if (NAMES.includes(name)) raw[name] = decode(String(value));
    else throw badRequest(`Bad header: ${header}`);
  }
  return check(raw, properties);
}

/**
 * Reads metadata from a JSON body: `{"image": {…}}`, or just `{…}`. Not Glance's own way, but that of openstacksdk's v1 (choice).
 * Names that are no fields are properties.
 * @throws HttpError 400, 413
 */
export function fromJson(body: unknown): Metadata {
  const whole = isObject(body) ? body : {};
  const image = isObject(whole.image) ? whole.image : whole;
  const raw: Record<string, unknown> = {};
  const properties: Record<string, string> = {};
  for (const [name, value] of Object.entries(image)) {
    if (name === "properties" || value === null) continue;
    if (NAMES.includes(name)) raw[name] = value;
    else properties[name] = text(value);
  }
  for (const [name, value] of Object.entries(isObject(image.properties) ? image.properties : {}))
    properties[name] = text(value);
  return check(raw, properties);
}

/** The fields of an image that a request named, over those that it has. */
export function apply(image: Image, given: Metadata, purgeProperties: boolean): void {
  const { id, size, location, copy_from, properties, ...fields } = given;
  Object.assign(image, fields);
  if (size !== undefined && image.status === "queued") image.size = size;
  image.properties = purgeProperties ? properties : { ...image.properties, ...properties };
  if (Object.keys(image.properties).length > MAX_PROPERTIES) {
    const attempted = Object.keys(image.properties).length;
    throw new HttpError(
      413,
      `The limit has been exceeded on the number of allowed image properties. Attempted: ${attempted}, Maximum: ${MAX_PROPERTIES}`,
    );
  }
  checkFormats(image);
}

/** The formats of an image: ami, ari and aki are both or neither; one that is left out follows the other. */
function checkFormats(image: Image): void {
  const { disk_format: disk, container_format: container } = image;
  if (!AMAZON.includes(disk ?? "") && !AMAZON.includes(container ?? "")) return;
  image.disk_format = disk ?? container;
  image.container_format = container ?? disk;
  if (image.disk_format !== image.container_format) {
    throw badRequest(
      `Invalid mix of disk and container formats. When setting a disk or container format to one of 'aki', 'ari', or 'ami', the container and disk formats must match.`,
    );
  }
}

/** An image as headers, for HEAD and GET: nothing for null, True and False, UTF-8 bytes one letter each. */
export function toHeaders(image: Image): Record<string, string> {
  const { properties, members, location, copyFrom, ...fields } = image;
  const headers: Record<string, string> = {};
  const add = (name: string, value: string | number | boolean | null) => {
    if (value === null) return;
    const text = typeof value === "boolean" ? (value ? "True" : "False") : String(value);
    headers[`x-image-meta-${name}`] = Buffer.from(text, "utf8").toString("latin1");
  };
  for (const [name, value] of Object.entries(fields)) add(name, value);
  // A name that is no token can't be a header's name as it is.
  for (const [name, value] of Object.entries(properties))
    add(`property-${TOKEN.test(name) ? name : encodeURIComponent(name)}`, value);
  if (image.checksum) headers.etag = image.checksum;
  return headers;
}

/** An image as JSON, in full. */
export function toJson(image: Image) {
  const { members, location, copyFrom, ...fields } = image;
  return fields;
}

function check(raw: Record<string, unknown>, properties: Record<string, string | null>): Metadata {
  const out: Metadata = { properties };
  for (const name of ["id", "name", "checksum", "owner", "location", "copy_from"] as const) {
    const value = raw[name];
    if (value !== undefined) out[name] = text(value);
  }
  if ((out.name?.length ?? 0) > 255) throw badRequest(`Image name too long: ${out.name?.length}`);
  if ((out.checksum?.length ?? 0) > 32) throw badRequest("Invalid checksum: more than 32 characters");
  for (const name of ["size", "min_ram", "min_disk"] as const) {
    if (raw[name] === undefined || raw[name] === "") continue;
    const value = Number(raw[name]);
    if (!Number.isInteger(value) || value < 0)
      throw badRequest(`Cannot convert image ${name} '${raw[name]}' to an integer.`);
    out[name] = value;
  }
  for (const name of ["is_public", "protected"] as const) {
    if (raw[name] !== undefined) out[name] = bool(raw[name]);
  }
  const formats = { disk_format: DISK_FORMATS, container_format: CONTAINER_FORMATS } as const;
  for (const name of ["disk_format", "container_format"] as const) {
    const value = raw[name];
    if (value === undefined || value === "" || value === "None") continue;
    if (!formats[name].includes(text(value)))
      throw badRequest(`Invalid ${name.replace("_", " ")} '${value}' for image.`);
    out[name] = text(value);
  }
  if (out.location !== undefined && out.copy_from !== undefined) {
    throw badRequest("It's invalid to provide multiple image sources.");
  }
  return out;
}

/** Words for true, as oslo.utils takes them; all others are false. */
function bool(value: unknown): boolean {
  return ["true", "t", "1", "on", "y", "yes"].includes(String(value).toLowerCase());
}

function text(value: unknown): string {
  const out = typeof value === "string" ? value : JSON.stringify(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these can't be in a header
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(out)) throw badRequest("Control characters are not allowed.");
  return out;
}

function utf8(bytes: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(bytes, "latin1"));
  } catch {
    throw badRequest("A header is not UTF-8.");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
