import { type Listing, Reads } from "../reads.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceClient, Query } from "./client.ts";
import type { Dialect } from "./dialect.ts";
import { ownerProperties } from "./ownership.ts";

/** Ids in one `id=in:` filter: some front ends cut a query at 8 kB and then answer with an unfiltered list. */
const idsPerListing = 100;
/** A run of thousands of images takes longer; what it has to know then is listed anew. */
const maxAgeMs = 60_000;

/**
 * Reads of images: the first few by their ids, and once there are more, from listings of all images that carry the owner tag of the same stack,
 * then (adopted images carry none) of all images of the project.
 * @param note is told of each image that is found
 */
export function imageReads(
  client: GlanceClient,
  dialect: Dialect,
  projectId: () => Promise<string>,
  note: (image: WireImage) => void,
): Reads<WireImage> {
  /** Owner tags of stacks, as the images that were read by their ids carry them. */
  const stacks = new Set<string>();
  /** There is no listing of both: hidden images are asked for by themselves, where they can be hidden. */
  const variants = dialect.hidden ? [{}, { os_hidden: true }] : [{}];
  const all = dialect.filters ? { visibility: "all", member_status: "all" } : {};

  function noted(image: WireImage): WireImage {
    const stack = image[ownerProperties.stack];
    if (dialect.filters && typeof stack === "string") stacks.add(stack);
    note(image);
    return image;
  }

  function listing(filters: Query, likely: boolean): Listing<WireImage> {
    return {
      name: JSON.stringify(filters),
      likely,
      async *pages() {
        for await (const page of client.pages({ ...filters, owner: await projectId() })) {
          for (const image of page) note(image);
          yield page;
        }
      },
    };
  }

  return new Reads<WireImage>({
    maxAgeMs,
    idOf: ({ id }) => id,
    async one(id) {
      const image = await client.get(id);
      return image && noted(image);
    },
    ...(dialect.filters ? { some: { most: idsPerListing, read } } : {}),
    listings: () => [
      ...[...stacks].flatMap(stack =>
        variants.map(v => listing({ ...all, [ownerProperties.stack]: stack, ...v }, true)),
      ),
      ...variants.map(variant => listing({ ...all, ...variant }, false)),
    ],
    atRest,
  });

  async function read(ids: readonly string[]): Promise<WireImage[]> {
    const found: WireImage[] = [];
    for (const variant of variants) {
      const missing = ids.filter(id => !found.some(image => image.id === id));
      if (missing.length === 0) break;
      const query = { ...all, id: `in:${missing.join(",")}`, ...variant };
      found.push(...(await client.list(query, missing.length)).map(noted));
    }
    return found;
  }
}

/** An image without data waits for it, and an import that this process began may bring it at any time. */
function atRest(image: WireImage, writtenHere: boolean): boolean {
  if (image.os_glance_import_task || image.os_glance_importing_to_stores) return false;
  return image.status === "active" || image.status === "deactivated" || (image.status === "queued" && !writtenHere);
}
