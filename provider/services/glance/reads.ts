import type { WireImage } from "./attributes.ts";
import type { GlanceClient } from "./client.ts";
import type { Dialect } from "./dialect.ts";

/** Ids in one `id=in:` filter: some front ends cut a query at 8 kB and then answer with an unfiltered list. */
const idsPerListing = 100;
/** Up to so many images are read one by one where only all images can be listed: a project may have thousands. */
const fewIds = 3;

interface Waiting {
  id: string;
  resolve(image: WireImage | undefined): void;
  reject(error: unknown): void;
}

/**
 * Reads of images that are asked for at the same time are answered from listings: a refresh of N images is not N requests.
 * Nothing is kept: each answer was asked of the server after the question was put.
 */
export class ImageReads {
  readonly #client: GlanceClient;
  readonly #dialect: Dialect;
  readonly #projectId: () => Promise<string>;
  readonly #note: (image: WireImage) => void;
  #waiting: Waiting[] = [];
  #scheduled = false;

  /** @param note is told of each image that is found */
  constructor(
    client: GlanceClient,
    dialect: Dialect,
    projectId: () => Promise<string>,
    note: (image: WireImage) => void,
  ) {
    this.#note = note;
    this.#client = client;
    this.#dialect = dialect;
    this.#projectId = projectId;
  }

  /** The image, or undefined when the server has none of this id that we may see. */
  read(id: string): Promise<WireImage | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // The engine hands over what it reads in parallel within one turn of the event loop or two.
      setTimeout(() => this.#flush(), 2);
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    for (let start = 0; start < waiting.length; start += idsPerListing) {
      void this.#answer(waiting.slice(start, start + idsPerListing));
    }
  }

  async #answer(batch: Waiting[]): Promise<void> {
    try {
      const ids = [...new Set(batch.map(({ id }) => id))];
      const found = await this.#find(ids);
      for (const image of found.values()) this.#note(image);
      for (const { id, resolve } of batch) resolve(found.get(id));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #find(ids: string[]): Promise<Map<string, WireImage>> {
    const found = new Map<string, WireImage>();
    const missing = () => ids.filter(id => !found.has(id));
    if (!this.#dialect.filters && ids.length > fewIds) {
      // Nothing says that this service can be asked for some ids: the project's own images are all listed.
      for (const image of await this.#client.list({ owner: await this.#projectId() })) {
        if (ids.includes(image.id)) found.set(image.id, image);
      }
    } else if (this.#dialect.filters && ids.length > 1) {
      const listings = this.#dialect.hidden ? [{}, { os_hidden: true }] : [{}];
      for (const extra of listings) {
        const asked = missing();
        if (asked.length === 0) break;
        const query = {
          visibility: "all",
          member_status: "all",
          id: `in:${asked.join(",")}`,
          limit: asked.length,
          ...extra,
        };
        for (const image of await this.#client.list(query)) {
          // A query that was cut on its way is answered with images that nobody asked for.
          if (asked.includes(image.id)) found.set(image.id, image);
        }
      }
    }
    // A listing doesn't show everything that can be read by its id, so only this says that an image is gone.
    await Promise.all(
      missing().map(async id => {
        const image = await this.#client.get(id);
        if (image !== undefined) found.set(id, image);
      }),
    );
    return found;
  }
}
