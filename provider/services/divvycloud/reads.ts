import { type Listing, Reads } from "../reads.ts";
import type { ImageFacts } from "../service.ts";
import { factsOf, isWhole } from "./attributes.ts";
import type { DivvyCloudClient } from "./client.ts";
import { scopeOf } from "./cloud.ts";

/** Reads of images; more than a few are answered from queries over their cloud accounts. */
export function imageReads(client: DivvyCloudClient): Reads<ImageFacts> {
  return new Reads<ImageFacts>({
    maxAgeMs: 60_000,
    idOf: ({ id }) => id,
    one: async id => factsOf(await client.detail(id)),
    listings: ids => [...new Set(ids.map(scopeOf))].map(scope => query(scope)),
    atRest: ({ status }) => status === "available",
  });

  /** @param scope a cloud account; undefined: all of them */
  function query(scope: string | undefined): Listing<ImageFacts> {
    return {
      name: scope ?? "all",
      async *pages() {
        let offset = 0;
        let total = 1;
        while (offset < total) {
          const page = await client.page(scope === undefined ? [] : [scope], offset);
          yield page.resources.filter(isWhole).flatMap(resource => factsOf(resource) ?? []);
          if (page.resources.length === 0) return;
          offset += page.resources.length;
          total = page.total;
        }
      },
    };
  }
}
