import { isOwnerProperty } from "../glance/ownership.ts";
import type { ImageFacts, Values } from "../service.ts";

/** An image under the Image API v1's names. Absent and null mean the same. */
export interface WireImage {
  id: string;
  status: string;
  name?: string | null;
  disk_format?: string | null;
  container_format?: string | null;
  /** Bytes; 0 as long as there is no data. */
  size?: number | null | undefined;
  virtual_size?: number | null | undefined;
  /** MD5, hex. */
  checksum?: string | null;
  is_public?: boolean;
  protected?: boolean;
  /** GB */
  min_disk?: number | null | undefined;
  /** MB */
  min_ram?: number | null | undefined;
  /** Project id. */
  owner?: string | null;
  deleted?: boolean;
  /** UTC, without saying so: 2010-02-03T09:34:01.000000 */
  created_at?: string | null;
  updated_at?: string | null;
  properties?: Record<string, string | null>;
}

/** The sdk's name of each attribute that a program may declare, and the API's. */
const declarable = {
  name: "name",
  diskFormat: "disk_format",
  containerFormat: "container_format",
  minDisk: "min_disk",
  minRam: "min_ram",
  isPublic: "is_public",
  protected: "protected",
  owner: "owner",
} as const;

const reported = {
  size: "size",
  virtualSize: "virtual_size",
  checksum: "checksum",
} as const;

/** Whether a property can be called so: a header's name, in the form that the service gives it. Source: RFC 9110, 5.6.2. */
export function isToken(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~]+$/.test(name);
}

/** What the service says, in the sdk's words. */
export function factsOf(image: WireImage): ImageFacts {
  const facts: ImageFacts = { id: image.id, status: image.status };
  for (const [field, wire] of Object.entries({ ...declarable, ...reported })) {
    const value = image[wire];
    if (value !== null && value !== undefined) facts[field] = value;
  }
  if (image.created_at) facts.createdAt = utc(image.created_at);
  if (image.updated_at) facts.updatedAt = utc(image.updated_at);
  facts.properties = Object.fromEntries(Object.entries(propertiesOf(image)).filter(([name]) => !isOwnerProperty(name)));
  return facts;
}

function utc(time: string): string {
  return /(Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`;
}

/** All properties of an image that have a value, those of its owner tag among them. */
export function propertiesOf(image: WireImage): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const [name, value] of Object.entries(image.properties ?? {})) if (value !== null) properties[name] = value;
  return properties;
}

/** The declared fields under the API's names. */
export function fieldsOf(values: Values): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [field, wire] of Object.entries(declarable)) {
    if (values[field] !== undefined && values[field] !== null) fields[wire] = values[field];
  }
  return fields;
}

/** The fields in which an image differs from what is wanted, under the API's names. */
export function differingFields(actual: ImageFacts, wanted: Values): Record<string, unknown> {
  const differing = Object.entries(wanted).filter(([field, value]) => actual[field] !== value);
  return fieldsOf(Object.fromEntries(differing));
}

/** The properties in which an image differs from what is wanted. */
export function differingProperties(actual: ImageFacts, wanted: Values): Record<string, string> {
  const before = (actual.properties ?? {}) as Record<string, string>;
  const after = (wanted.properties ?? {}) as Record<string, string>;
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value));
}
