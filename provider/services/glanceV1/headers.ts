import { ImagesError } from "../../errors.ts";
import type { Headers } from "../../http.ts";
import { isToken, type WireImage } from "./attributes.ts";

/**
 * The Image API v1 carries metadata in headers. Values are UTF-8 bytes, which Node takes and gives as text of one character a byte.
 * Source: docs.openstack.org/api-ref/image/v1; glance 11.0.0, common/utils.py.
 */

const prefix = "x-image-meta-";
const propertyPrefix = `${prefix}property-`;

/** Text as a header's value. */
export function headerValue(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

function textOf(value: string): string {
  return Buffer.from(value, "latin1").toString("utf8");
}

/** Fields by the API's names, and properties, as headers. */
export function toHeaders(
  fields: Readonly<Record<string, unknown>>,
  properties: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) headers[`${prefix}${name}`] = headerValue(wireText(value));
  for (const [name, value] of Object.entries(properties)) {
    // What a program declares was checked; what is copied from another service may be anything.
    if (!isToken(name)) throw unfit(name);
    headers[`${propertyPrefix}${name}`] = headerValue(value);
  }
  return headers;
}

function wireText(value: unknown): string {
  return typeof value === "boolean" ? (value ? "True" : "False") : String(value);
}

function unfit(name: string): ImagesError {
  return new ImagesError("unsupported", `glance-v1 can't hold a property called ${JSON.stringify(name)}`, {
    hint: "Its properties travel as header names: lower-case letters, digits, _ . and the like, without -",
  });
}

/** The image that an answer's headers describe. */
export function imageOf(headers: Headers): WireImage {
  const fields: Record<string, string> = {};
  const properties: Record<string, string> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = textOf(Array.isArray(value) ? value.join(", ") : value);
    if (header.startsWith(propertyPrefix)) {
      properties[header.slice(propertyPrefix.length).replaceAll("-", "_")] = text;
    } else if (header.startsWith(prefix)) fields[header.slice(prefix.length).replaceAll("-", "_")] = text;
  }
  const whole = (name: string) => (fields[name] === undefined ? undefined : Number(fields[name]));
  const flag = (name: string) => fields[name]?.toLowerCase() === "true";
  return {
    ...fields,
    id: fields.id ?? "",
    status: fields.status ?? "",
    size: whole("size"),
    virtual_size: whole("virtual_size"),
    min_disk: whole("min_disk"),
    min_ram: whole("min_ram"),
    is_public: flag("is_public"),
    protected: flag("protected"),
    deleted: flag("deleted"),
    properties,
  };
}
