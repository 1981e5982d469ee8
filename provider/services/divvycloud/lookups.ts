import type { Field } from "../../fields/field.ts";
import { flag, setOf, text } from "../../fields/values.ts";
import { listingTable, sorted } from "../listing.ts";
import type { Lookups } from "../lookups.ts";
import { factsOf } from "./attributes.ts";
import type { DivvyCloudClient } from "./client.ts";

/** What the query's own filters look like isn't documented, but for its scopes: the rest is looked at here. */
const compared = ["name", "status", "cloud", "account", "region", "platform", "architecture", "virtualizationType"];

/** What DivvyCloud lets one look up. Source: the vendor's Swagger description of /v2, "resource/query". */
export function divvyCloudLookups(client: DivvyCloudClient): Lookups {
  const filter = (schema: Field["schema"]): Field => ({ schema, change: "none" });
  const scope = text({
    what: "a scope",
    pattern: /^divvyorganizationservice:\d+:?$/,
    form: 'a cloud account\'s id, such as "divvyorganizationservice:1"',
  });
  return {
    filters: () =>
      listingTable(
        "divvycloud",
        {
          scopes: filter(setOf("scopes", scope, { min: 1 })),
          ...Object.fromEntries(compared.map(name => [name, filter(text({ what: name, min: 1 }))])),
          shared: filter(flag("shared")),
        },
        ["name", "status", "id", "createdAt", "updatedAt", "region", "account"],
        { state: "use status", visibility: "use shared", tags: "DivvyCloud documents no filter for tags" },
      ),
    async listImages({ filters: { scopes, ...filters }, sort, most }) {
      const images = (await client.list((scopes as string[] | undefined) ?? [])).map(factsOf);
      const found = images
        .filter(facts => facts !== undefined)
        .filter(facts =>
          Object.entries(filters).every(([name, value]) => value === undefined || facts[name] === value),
        );
      return sorted(found, sort).slice(0, most);
    },
    // Every image that DivvyCloud shows is of an account that it looks after.
    ownFilters: async () => ({}),
    about: async () => ({ versions: ["v2"] }),
  };
}
