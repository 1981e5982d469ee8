import { commonFields } from "../fields/common.ts";
import type { Field, FieldTable, Problem } from "../fields/field.ts";
import { flag, setOf, text, whole } from "../fields/values.ts";
import type { SortKey } from "./lookups.ts";
import type { ServiceName } from "./names.ts";
import type { ImageFacts } from "./service.ts";

/**
 * What may be asked of a listing: a service's own filters, and on every service how many images and in which order.
 * @param keys the fields that it sorts by
 * @param instead filters of other services, and what to use here
 */
export function listingTable(
  service: ServiceName,
  filters: Record<string, Field>,
  keys: readonly string[],
  instead: Record<string, string> = {},
): FieldTable {
  const { resource: _, timeouts: __, generation: ___, ...common } = commonFields(service);
  const sortKey = text({
    what: "a sort key",
    pattern: new RegExp(`^(${keys.join("|")})(:(asc|desc))?$`),
    form: `one of ${keys.join(", ")}, with :asc or :desc behind it`,
  });
  return {
    service,
    fields: {
      ...common,
      ...filters,
      sort: { schema: setOf("sort", sortKey, { min: 1 }), change: "none" },
      limit: { schema: whole({ what: "limit", unit: "images", min: 1 }), change: "none" },
      latest: { schema: flag("latest"), change: "none" },
    },
    instead,
    rules: onlyOneOrder,
  };
}

function onlyOneOrder({ latest, sort, limit }: Record<string, unknown>): Problem[] {
  if (latest !== true) return [];
  return Object.entries({ sort, limit })
    .filter(([, value]) => value !== undefined)
    .map(([property]) => ({ property, reason: `latest is the newest image alone: leave ${property} out` }));
}

/** "name:desc" → what to sort by. Without a direction it is ascending. */
export function sortKeyOf(key: string): SortKey {
  const [field = "", direction] = key.split(":");
  return { field, descending: direction === "desc" };
}

/** The order in which a service that doesn't sort by itself would give them. */
export function sorted(images: readonly ImageFacts[], sort: readonly SortKey[]): ImageFacts[] {
  return images.toSorted((one, other) => {
    for (const { field, descending } of sort) {
      const order = compared(one[field], other[field]);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
}

/** What is missing comes after all there is. */
function compared(one: unknown, other: unknown): number {
  if (one === other) return 0;
  if (one === undefined || one === null) return 1;
  if (other === undefined || other === null) return -1;
  return (one as string | number) < (other as string | number) ? -1 : 1;
}
