import * as v from "valibot";
import type { Field, FieldTable } from "../../fields/field.ts";
import { flag, mapOf, oneOf, setOf, text, whole } from "../../fields/values.ts";
import { listingTable, sorted } from "../listing.ts";
import type { Listing, SortKey } from "../lookups.ts";
import type { ImageFacts, Values } from "../service.ts";
import { factsOf, fieldOf, isReserved, type WireImage } from "./attributes.ts";
import type { Query } from "./client.ts";
import type { GlanceCloud } from "./cloud.ts";
import type { Dialect } from "./dialect.ts";

/** Filters of which one may give several values; the image has one of them. */
const choices = {
  id: "id",
  name: "name",
  status: "status",
  diskFormat: "disk_format",
  containerFormat: "container_format",
} as const;

/** Filters of one value, which is the image's own. */
const values = {
  owner: "owner",
  visibility: "visibility",
  memberStatus: "member_status",
  hidden: "os_hidden",
  protected: "protected",
  minDisk: "min_disk",
  minRam: "min_ram",
  sizeMin: "size_min",
  sizeMax: "size_max",
  checksum: "checksum",
  hashValue: "os_hash_value",
  createdAt: "created_at",
  updatedAt: "updated_at",
} as const;

const sortKeys = {
  name: "name",
  status: "status",
  diskFormat: "disk_format",
  containerFormat: "container_format",
  size: "size",
  id: "id",
  createdAt: "created_at",
  updatedAt: "updated_at",
} as const;

/** Query parameters that mean something else than a property of their name. */
const parameters = [
  "limit",
  "marker",
  "sort",
  "sort_key",
  "sort_dir",
  "tag",
  "member_status",
  "changes-since",
  "properties",
];

/** Ids in one listing: some front ends cut a query at 8 kB and then answer with an unfiltered list. */
const idsPerListing = 100;

/** Sources: docs.openstack.org/api-ref/image/v2 "List images"; for others than OpenStack their own documents, which name fewer. */
export function listingFilters(dialect: Dialect): FieldTable {
  const filter = (schema: Field["schema"]): Field => ({ schema, change: "none" });
  const time = filter(
    text({
      what: "a time",
      pattern: /^((eq|neq|gt|gte|lt|lte):)?\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/,
      form: "an ISO 8601 time, with gt:, gte:, lt:, lte:, eq: or neq: before it",
    }),
  );
  const fields: Record<string, Field> = {
    ...Object.fromEntries(Object.keys(choices).map(name => [name, filter(oneOrMore(name))])),
    owner: filter(text({ what: "owner", min: 1 })),
    visibility: filter(oneOf("visibility", [...dialect.visibilities, ...(dialect.hidden ? ["all"] : [])])),
    memberStatus: filter(oneOf("memberStatus", ["pending", "accepted", "rejected", "all"])),
    sizeMin: filter(bytes("sizeMin")),
    sizeMax: filter(bytes("sizeMax")),
    tags: filter(setOf("tags", text({ what: "a tag", min: 1 }))),
    createdAt: time,
    updatedAt: time,
  };
  if (dialect.service === "openstack") {
    Object.assign(fields, {
      hidden: filter(flag("hidden")),
      protected: filter(flag("protected")),
      minDisk: filter(whole({ what: "minDisk", unit: "GB" })),
      minRam: filter(whole({ what: "minRam", unit: "MB" })),
      checksum: filter(text({ what: "checksum", pattern: /^[0-9a-f]{32}$/, form: "an MD5 in hex" })),
      hashValue: filter(text({ what: "hashValue", pattern: /^[0-9a-f]+$/, form: "a digest in hex" })),
      properties: filter(propertyFilters()),
    });
  }
  return listingTable(dialect.service, fields, Object.keys(sortKeys), {
    tag: "use tags: [ … ]",
    private: 'use visibility: "private"',
    isPublic: 'use visibility: "public"',
    changesSince: 'use updatedAt: "gte:…"',
  });
}

function bytes(what: string) {
  return whole({ what, unit: "bytes", max: Number.MAX_SAFE_INTEGER });
}

function oneOrMore(name: string) {
  const one = text({ what: name, min: 1 });
  return v.union([one, setOf(name, one, { min: 1 })], `${name} must be text, or a list of it`);
}

function propertyFilters() {
  const key = v.pipe(
    text({ what: "a property's name", min: 1 }),
    v.check(
      name => !isReserved(name) && !parameters.includes(name) && !/_(min|max)$/.test(name),
      issue => {
        const field = fieldOf(issue.input);
        return `images can't be filtered by a property named ${issue.input}${field ? `: use the filter ${field}` : ""}`;
      },
    ),
  );
  return mapOf("properties", key, text({ what: "a property's value", min: 1 }));
}

/** Every image that matches; what isn't wanted beyond `most` isn't asked for. */
export async function listImages(cloud: GlanceCloud, listing: Listing): Promise<ImageFacts[]> {
  return cloud.dialect.filters ? await listByService(cloud, listing) : await listByHand(cloud, listing);
}

async function listByService(cloud: GlanceCloud, { filters, sort, most }: Listing): Promise<ImageFacts[]> {
  const { id, ...others } = filters;
  const query: Query = { ...queryOf(others), sort: sort.length === 0 ? undefined : sort.map(sortText).join(",") };
  const unlisted = Object.keys(choices).filter(field => !wantedOf(filters[field]).every(canBeListed));
  if (id === undefined) {
    const images = factsOfAll(cloud, await cloud.client.list(query, unlisted.length === 0 ? most : undefined));
    return images
      .filter(image => unlisted.every(field => wantedOf(filters[field]).includes(String(image[field]))))
      .slice(0, most);
  }
  const ids = wantedOf(id).map(one => one.toLowerCase());
  const images: WireImage[] = [];
  for (let start = 0; start < ids.length; start += idsPerListing) {
    const part = ids.slice(start, start + idsPerListing);
    const found = await cloud.client.list({ ...query, id: `in:${part.join(",")}` });
    // A query that was cut on its way is answered with images that nobody asked for.
    images.push(...found.filter(image => part.includes(image.id)));
  }
  const facts = factsOfAll(cloud, images);
  return (ids.length > idsPerListing ? sorted(facts, sort) : facts).slice(0, most);
}

/** Where just a few filters are documented, these are asked for, and the others looked after here. */
async function listByHand(cloud: GlanceCloud, { filters, sort, most }: Listing): Promise<ImageFacts[]> {
  const single = (name: string) => (typeof filters[name] === "string" ? (filters[name] as string) : undefined);
  const images = await cloud.client.list({
    name: single("name"),
    status: single("status"),
    visibility: single("visibility"),
    owner: single("owner"),
    member_status: single("memberStatus"),
    size_min: filters.sizeMin as number | undefined,
    size_max: filters.sizeMax as number | undefined,
    tag: (filters.tags as string[] | undefined)?.[0],
  });
  return sorted(factsOfAll(cloud, images), sort)
    .filter(image => matches(image, filters))
    .slice(0, most);
}

function matches(image: ImageFacts, filters: Values): boolean {
  const tags = (image.tags ?? []) as string[];
  return (
    Object.keys(choices).every(
      field => filters[field] === undefined || wantedOf(filters[field]).includes(String(image[field])),
    ) &&
    ((filters.tags ?? []) as string[]).every(tag => tags.includes(tag)) &&
    ["createdAt", "updatedAt"].every(
      field => filters[field] === undefined || inTime(image[field], String(filters[field])),
    )
  );
}

/** @param wanted an ISO time, with an operator before it or without */
function inTime(actual: unknown, wanted: string): boolean {
  const [, operator = "eq", time = ""] = /^(?:([a-z]+):)?(.*)$/.exec(wanted) ?? [];
  const difference =
    Date.parse(String(actual)) -
    Date.parse(/T.*[\d.]$/.test(time) && !/[+-]\d{2}:?\d{2}$/.test(time) ? `${time}Z` : time);
  const tests: Record<string, boolean> = {
    eq: difference === 0,
    neq: difference !== 0,
    gt: difference > 0,
    gte: difference >= 0,
    lt: difference < 0,
    lte: difference <= 0,
  };
  return tests[operator] === true;
}

function factsOfAll(cloud: GlanceCloud, images: readonly WireImage[]): ImageFacts[] {
  return images.map(image => factsOf(image, cloud.dialect));
}

function sortText({ field, descending }: SortKey): string {
  return `${sortKeys[field as keyof typeof sortKeys]}:${descending ? "desc" : "asc"}`;
}

function queryOf(filters: Values): Query {
  const query: Query = {
    ...(filters.properties as Record<string, string> | undefined),
    tag: filters.tags as string[] | undefined,
  };
  for (const [field, wire] of Object.entries(values)) query[wire] = filters[field] as string | undefined;
  for (const [field, wire] of Object.entries(choices)) {
    const wanted = filters[field];
    if (typeof wanted === "string") query[wire] = `eq:${wanted}`;
    else if (Array.isArray(wanted) && wanted.every(canBeListed)) {
      query[wire] = `in:${wanted.map(value => `"${value}"`).join(",")}`;
    }
  }
  return query;
}

/** The values of a filter that takes one or several. */
function wantedOf(filter: unknown): string[] {
  return filter === undefined ? [] : Array.isArray(filter) ? filter.map(String) : [String(filter)];
}

/** The server has a syntax for quotes within quotes, but never finds what is written in it. */
function canBeListed(value: string): boolean {
  return !/["\\]/.test(value);
}
