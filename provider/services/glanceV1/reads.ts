import { Reads } from "../reads.ts";
import type { WireImage } from "./attributes.ts";
import { type GlanceV1Client, leastLimit } from "./client.ts";

/** Reads of images; there is no filter by id, so that more than a few are answered from the listing of all. */
export function imageReads(client: GlanceV1Client): Reads<WireImage> {
  return new Reads<WireImage>({
    maxAgeMs: 60_000,
    idOf: ({ id }) => id,
    one: id => client.get(id),
    listings: () => [{ name: "all", pages }],
    // An image without data waits for it, and a copy_from that this process began may bring it at any time.
    atRest: ({ status }, writtenHere) =>
      status === "active" || status === "killed" || (status === "queued" && !writtenHere),
  });

  async function* pages(): AsyncGenerator<WireImage[]> {
    let after: string | undefined;
    for (;;) {
      const page = await client.page({}, after);
      yield page;
      // There is no link to a next page, and no telling how many the operator allows on one.
      if (page.length < leastLimit) return;
      after = page.at(-1)?.id;
    }
  }
}
