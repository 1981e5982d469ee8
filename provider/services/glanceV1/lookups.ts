import * as v from "valibot";
import type { Field, FieldTable } from "../../fields/field.ts";
import { flag, mapOf, text, whole } from "../../fields/values.ts";
import { isOwnerProperty } from "../glance/ownership.ts";
import { listingTable, sorted } from "../listing.ts";
import type { Listing, Lookups } from "../lookups.ts";
import { openDataFrom } from "../openData.ts";
import type { ImageFacts, Values } from "../service.ts";
import { factsOf, isToken } from "./attributes.ts";
import type { GlanceV1Cloud } from "./cloud.ts";
import { memberFacts } from "./members.ts";
import { isGone } from "./waiting.ts";

/** The API's names of the filters. There is none for `owner`, and `isPublic` is for admins: they are looked at here. */
const filters = {
  name: "name",
  status: "status",
  diskFormat: "disk_format",
  containerFormat: "container_format",
  minDisk: "min_disk",
  minRam: "min_ram",
  sizeMin: "size_min",
  sizeMax: "size_max",
  protected: "protected",
  changesSince: "changes-since",
} as const;

const sortKeys = ["name", "status", "diskFormat", "containerFormat", "size", "id", "createdAt", "updatedAt"];

/** What an Image API v1 lets one look up. Source: docs.openstack.org/api-ref/image/v1; glance 11.0.0. */
export function glanceV1Lookups(cloud: GlanceV1Cloud): Lookups {
  const { client } = cloud;
  return {
    filters: listingFilters,
    listImages: listing => listImages(cloud, listing),
    ownFilters: async () => ({ owner: await cloud.projectId() }),
    listMembers: async imageId =>
      (await client.members(imageId))?.map(member =>
        memberFacts(`${imageId}/${encodeURIComponent(member.member_id)}`, member),
      ),
    async openData(imageId, from) {
      const image = await client.get(imageId);
      // What has no data yet answers 404, as what isn't there does.
      if (isGone(image) || image.status !== "active") return undefined;
      return await openDataFrom(from, () => client.download(imageId));
    },
    async about() {
      const { versions, date } = await client.versions();
      return { versions, ...(date === undefined ? {} : { clock: new Date(date) }) };
    },
  };
}

function listingFilters(): FieldTable {
  const filter = (schema: Field["schema"]): Field => ({ schema, change: "none" });
  const size = (what: string) => filter(whole({ what, unit: "bytes", max: Number.MAX_SAFE_INTEGER }));
  const words = ["name", "status", "diskFormat", "containerFormat"];
  const property = v.pipe(
    text({ what: "a property's name", min: 1 }),
    v.check(isToken, issue => `a property's name is written as in a header, in lower case: not ${issue.input}`),
  );
  return listingTable(
    "glance-v1",
    {
      ...Object.fromEntries(words.map(name => [name, filter(text({ what: name, min: 1 }))])),
      minDisk: filter(whole({ what: "minDisk", unit: "GB" })),
      minRam: filter(whole({ what: "minRam", unit: "MB" })),
      sizeMin: size("sizeMin"),
      sizeMax: size("sizeMax"),
      owner: filter(text({ what: "owner", min: 1 })),
      isPublic: filter(flag("isPublic")),
      protected: filter(flag("protected")),
      changesSince: filter(
        text({
          what: "changesSince",
          pattern: /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:?\d{2})?)?$/,
          form: "an ISO 8601 time",
        }),
      ),
      properties: filter(mapOf("properties", property, text({ what: "a property's value" }))),
    },
    sortKeys,
    {
      tags: "the Image API v1 knows no tags; use properties",
      visibility: "use isPublic",
      updatedAt: "use changesSince",
    },
  );
}

/** The API sorts by one key only, so that more of them are seen to here. */
async function listImages(cloud: GlanceV1Cloud, { filters: wanted, sort, most }: Listing): Promise<ImageFacts[]> {
  const [first, ...others] = sort;
  const isNewestFirst = first === undefined || (first.field === "createdAt" && first.descending && others.length === 0);
  const enough = isNewestFirst && wanted.isPublic === undefined && wanted.owner === undefined ? most : undefined;
  const images = await cloud.client.list(queryOf(wanted), enough);
  const facts = images
    .map(factsOf)
    .filter(({ isPublic, owner }) => (wanted.isPublic ?? isPublic) === isPublic && (wanted.owner ?? owner) === owner);
  return (isNewestFirst ? facts : sorted(facts, sort)).slice(0, most);
}

function queryOf(wanted: Values): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [field, wire] of Object.entries(filters)) {
    const value = wanted[field];
    if (value !== undefined) query[wire] = typeof value === "boolean" ? (value ? "True" : "False") : String(value);
  }
  if (wanted.isPublic !== undefined) query.is_public = wanted.isPublic === true ? "True" : "False";
  for (const [name, value] of Object.entries((wanted.properties ?? {}) as Record<string, string>)) {
    if (!isOwnerProperty(name)) query[`property-${name}`] = value;
  }
  return query;
}
