import type { ImageFacts } from "../service.ts";
import { Together } from "../together.ts";
import { factsOf, isWhole } from "./attributes.ts";
import { type DivvyCloudClient, pageLimit } from "./client.ts";
import { scopeOf } from "./cloud.ts";

/** With fewer, each is asked for by itself. */
const worthQuerying = 4;

/** Images that are asked for at the same time, from queries over their cloud accounts; what no query shows is asked for by itself. */
export function imageReads(client: DivvyCloudClient): Together<ImageFacts> {
  return new Together(async ids => {
    const found = new Map<string, ImageFacts>();
    const missing = new Set(ids);
    const scopes = [...new Set(ids.map(scopeOf))].filter(scope => scope !== undefined);
    let offset = 0;
    let pagesLeft = 1;
    // As long as the pages that are left are fewer than the images that are.
    while (missing.size >= worthQuerying && pagesLeft > 0 && pagesLeft < missing.size) {
      const { resources, total } = await client.page(scopes, offset);
      for (const resource of resources) {
        const facts = factsOf(resource);
        if (facts === undefined || !isWhole(resource) || !missing.delete(facts.id)) continue;
        found.set(facts.id, facts);
      }
      offset += resources.length;
      pagesLeft = resources.length === 0 ? 0 : Math.ceil((total - offset) / pageLimit);
    }
    // A query may miss what was added or removed while it was paged through: only this says that an image is gone.
    await Promise.all(
      [...missing].map(async id => {
        const facts = factsOf(await client.detail(id));
        if (facts !== undefined) found.set(id, facts);
      }),
    );
    return found;
  });
}
