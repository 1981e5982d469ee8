import { type DigitalOceanClient, pageSize, type WireImage } from "./client.ts";

/** How old an answer may be, in ms, */
const freshMs = 3000;
/** and how old where one from earlier in this run will do, about an image that DigitalOcean isn't at work on: thousands take as long. */
export const earlierMs = 60_000;
/** Images that were asked for within so many ms count as asked for together. */
const togetherMs = 1000;

interface Waiting {
  id: string;
  maxAgeMs: number;
  resolve(image: WireImage | undefined): void;
  reject(error: unknown): void;
}

/** The account's images as they were at one time. */
interface Listing {
  begun: number;
  /** All images; where there are many more than were asked for, just some. */
  images: Promise<{ byId: Map<string, WireImage>; complete: boolean }>;
}

/**
 * Reads of several images are answered from one listing of the account's images, so that a refresh of N images is not N requests: the rate
 * limit is 250 a minute. An answer is no older than its reader allows, and never older than this process's last write to that image; that an
 * image is missing is only believed of its own request.
 */
export class ImageReads {
  readonly #client: DigitalOceanClient;
  #waiting: Waiting[] = [];
  #scheduled = false;
  #listing: Listing | undefined;
  /** Pages that a whole listing has, as of the last one. */
  #pages = 1;
  /** When each image was last asked for. */
  readonly #asked = new Map<string, number>();
  /** When each image was last written to. */
  readonly #written = new Map<string, number>();

  constructor(client: DigitalOceanClient) {
    this.#client = client;
  }

  /** The image, or undefined when the account sees none of this id. */
  read(id: string, maxAgeMs = freshMs): Promise<WireImage | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, maxAgeMs, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      // The engine hands over what it reads in parallel within one turn of the event loop or two.
      setTimeout(() => this.#flush(), 2);
    });
  }

  /** All of the account's own images, as they were less than `maxAgeMs` ago; 0 asks anew. */
  async all(maxAgeMs: number): Promise<WireImage[]> {
    const known = this.#listing;
    if (known !== undefined && Date.now() - known.begun < maxAgeMs) {
      const { byId, complete } = await known.images;
      if (complete) return [...byId.values()];
    }
    const { byId } = await this.#begin(Number.POSITIVE_INFINITY).images;
    return [...byId.values()];
  }

  /** Asks for the images anew; what is read soon after this is answered from it. */
  async begin(): Promise<void> {
    await this.#begin(1).images;
  }

  /** What was read of an image so far doesn't count any more. */
  wrote(id: string): void {
    this.#written.set(id, Date.now());
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#scheduled = false;
    const now = Date.now();
    for (const [id, at] of this.#asked) if (now - at > togetherMs) this.#asked.delete(id);
    for (const { id } of waiting) this.#asked.set(id, now);
    const listed = waiting.filter(({ id }) => /^\d+$/.test(id));
    const stale = listed.some(entry => !this.#serves(this.#listing, entry, now));
    // A listing of more pages than images are asked for is no gain.
    if (stale && this.#asked.size > 1 && this.#asked.size >= this.#pages) this.#begin(this.#asked.size);
    const listing = this.#listing;
    for (const entry of waiting) {
      const usable = listed.includes(entry) && this.#serves(listing, entry, now);
      void this.#answer(entry, usable ? listing : undefined);
    }
  }

  #serves(listing: Listing | undefined, { id, maxAgeMs }: Waiting, now: number): boolean {
    // Begun in the same millisecond may be begun before.
    return listing !== undefined && now - listing.begun <= maxAgeMs && listing.begun > (this.#written.get(id) ?? 0);
  }

  async #answer({ id, maxAgeMs, resolve, reject }: Waiting, listing: Listing | undefined): Promise<void> {
    try {
      const found = listing === undefined ? undefined : (await listing.images).byId.get(id);
      const old = listing !== undefined && Date.now() - listing.begun > freshMs;
      if (found !== undefined && found.status !== "available" && old && maxAgeMs > freshMs) {
        resolve(await this.read(id, freshMs));
        return;
      }
      // A public image, an image that moved to another page meanwhile: only its own request says that there is none.
      resolve(found ?? (await this.#client.image(id)));
    } catch (error) {
      reject(error);
    }
  }

  /** @param wanted how many images are asked for: a listing with more pages to come than these isn't read on */
  #begin(wanted: number): Listing {
    const listing: Listing = { begun: Date.now(), images: this.#list(wanted) };
    this.#listing = listing;
    const drop = () => {
      if (this.#listing === listing) this.#listing = undefined;
    };
    listing.images.then(({ complete }) => (complete ? undefined : drop()), drop);
    return listing;
  }

  async #list(wanted: number): Promise<{ byId: Map<string, WireImage>; complete: boolean }> {
    const first = await this.#client.page(1);
    this.#pages = Math.max(1, Math.ceil(first.total / pageSize));
    const complete = this.#pages - 1 <= wanted;
    const rest = complete
      ? await Promise.all(Array.from({ length: this.#pages - 1 }, (_, index) => this.#client.page(index + 2)))
      : [];
    const images = [first, ...rest].flatMap(page => page.images);
    return { byId: new Map(images.map(image => [String(image.id), image])), complete };
  }
}
