import * as v from "valibot";
import type { Field, FieldTable } from "../../fields/field.ts";
import { flag, mapOf, oneOf, setOf, text, whole } from "../../fields/values.ts";
import { listingTable, sorted } from "../listing.ts";
import type { Listing } from "../lookups.ts";
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
export async function listImages(cloud: GlanceCloud, { filters, sort, most }: Listing): Promise<ImageFacts[]> {
  const { id, ...others } = filters;
  const query: Query = {
    ...queryOf(others),
    ...(sort.length === 0
      ? {}
      : {
          sort: sort
            .map(
              ({ field, descending }) => `${sortKeys[field as keyof typeof sortKeys]}:${descending ? "desc" : "asc"}`,
            )
            .join(","),
        }),
  };
  const images: WireImage[] = [];
  const ids = id === undefined ? undefined : [id].flat().map(one => String(one).toLowerCase());
  if (ids === undefined) images.push(...(await cloud.client.list(query, most)));
  for (let start = 0; ids !== undefined && start < ids.length; start += idsPerListing) {
    const part = ids.slice(start, start + idsPerListing);
    const found = await cloud.client.list({ ...query, id: `in:${part.map(quoted).join(",")}` });
    // A query that was cut on its way is answered with images that nobody asked for.
    images.push(...found.filter(image => part.includes(image.id)));
  }
  const facts = images.map(image => factsOf(image, cloud.dialect));
  const ordered = ids !== undefined && ids.length > idsPerListing ? sorted(facts, sort) : facts;
  return most === undefined ? ordered : ordered.slice(0, most);
}

function queryOf(filters: Values): Record<string, string | number | boolean | readonly string[] | undefined> {
  const query: Record<string, string | number | boolean | readonly string[] | undefined> = {
    ...(filters.properties as Record<string, string> | undefined),
    tag: filters.tags as string[] | undefined,
  };
  for (const [field, wire] of Object.entries(values)) query[wire] = filters[field] as string | undefined;
  for (const [field, wire] of Object.entries(choices)) {
    const wanted = filters[field];
    if (wanted !== undefined) query[wire] = `in:${[wanted].flat().map(String).map(quoted).join(",")}`;
  }
  return query;
}

/** In quotes a value may hold commas, and colons, which else make an operator of what is before them. */
export function quoted(value: string): string {
  return `"${value.replaceAll('"', '\\"')}"`;
}
