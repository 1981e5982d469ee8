import { ImagesError } from "../../errors.ts";
import type { Field } from "../../fields/field.ts";
import { flag, oneOf, text } from "../../fields/values.ts";
import { listingTable, sorted } from "../listing.ts";
import type { Lookups } from "../lookups.ts";
import { factsOf, isDeleted } from "./attributes.ts";
import type { DigitalOceanClient } from "./client.ts";

/** What DigitalOcean lets one look up. Source: docs.digitalocean.com/reference/api, "List All Images". */
export function digitalOceanLookups(client: DigitalOceanClient): Lookups {
  const filter = (schema: Field["schema"]): Field => ({ schema, change: "none" });
  return {
    filters: () =>
      listingTable(
        "digitalocean",
        {
          name: filter(text({ what: "name", min: 1 })),
          type: filter(oneOf("type", ["application", "distribution"])),
          private: filter(flag("private")),
          tag: filter(text({ what: "tag", min: 1 })),
        },
        ["name", "status", "id", "createdAt", "minDisk", "sizeGigabytes"],
        {
          tags: "use tag: DigitalOcean filters by one",
          visibility: "use private: true",
          status: "it can't be filtered by",
        },
      ),
    ownFilters: async () => ({ private: true }),
    async listImages({ filters, sort, most }) {
      const images = await client.list({
        ...(filters.type === undefined ? {} : { type: String(filters.type) }),
        ...(filters.private === true ? { private: true } : {}),
        ...(filters.tag === undefined ? {} : { tag_name: String(filters.tag) }),
      });
      const found = images
        .filter(image => !isDeleted(image) && (filters.name ?? image.name) === image.name)
        // `private: false` is DigitalOcean's own images; its API has just the other half.
        .filter(image => filters.private !== false || image.public === true);
      return sorted(found.map(factsOf), sort).slice(0, most);
    },
    async regions() {
      const regions = await client.regions();
      if (regions !== undefined) return regions.map(({ slug, name, available }) => ({ slug, name, available }));
      throw new ImagesError("forbidden", "this token isn't allowed to list DigitalOcean's regions", {
        hint: "Give it the scope regions:read",
      });
    },
    about: async () => ({ versions: ["v2"] }),
  };
}
