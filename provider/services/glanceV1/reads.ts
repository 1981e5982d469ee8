import { Together } from "../together.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceV1Client } from "./client.ts";

/** With fewer, each is asked for by itself. */
const worthListing = 4;

/**
 * Images that are asked for at the same time, from listings: there is no filter by id, so all pages are looked through until every one has
 * been found, or until asking for each of the rest is less work.
 */
export function imageReads(client: GlanceV1Client): Together<WireImage> {
  return new Together(async ids => {
    const found = new Map<string, WireImage>();
    const missing = new Set(ids);
    let after: string | undefined;
    while (missing.size >= worthListing) {
      const page = await client.page({}, after);
      for (const image of page) {
        if (!missing.delete(image.id)) continue;
        found.set(image.id, image);
      }
      after = page.at(-1)?.id;
      if (after === undefined) break;
    }
    // A listing doesn't show everything that can be read by its id, so only this says that an image is gone.
    await Promise.all(
      [...missing].map(async id => {
        const image = await client.get(id);
        if (image !== undefined) found.set(id, image);
      }),
    );
    return found;
  });
}
