/** How one service is asked for its images. */
export interface ReadsOf<T> {
  idOf(image: T): string;
  /** One image by its own request: the only one that is believed when it says that there is none. */
  one(id: string): Promise<T | undefined>;
  /** Images by their ids, where a listing can be asked for some; what it doesn't show is left out. */
  some?: { most: number; read(ids: readonly string[]): Promise<T[]> };
  /** Listings that may hold these ids, the likeliest first. */
  listings(ids: readonly string[]): Listing<T>[];
  /** Whether an image stays as it is until somebody changes it; one that the service is at work on is always asked for anew. */
  atRest(image: T, writtenHere: boolean): boolean;
  /** How old an answer may be that was asked for earlier in this process, in ms. */
  maxAgeMs: number;
}

export interface Listing<T> {
  /** The same for the same listing. */
  name: string;
  /** It holds images of this stack only, so that most of it will be wanted. */
  likely?: boolean;
  pages(): AsyncGenerator<T[]>;
}

interface Waiting<T> {
  id: string;
  earlierWillDo: boolean;
  resolve(image: T | undefined): void;
  reject(error: unknown): void;
}

interface Known<T> {
  image: T;
  /** By `#clock`: when it was asked for. */
  asked: number;
  /** In ms since the epoch. */
  at: number;
}

/** Up to so many images are read one by one where only a listing of all can be asked for. */
const fewIds = 3;
/** So many reads are worth one page of a listing that may hold none of what is wanted. */
const readsAPage = 25;

/**
 * Reads of many images. The engine reads a few at a time, so that answering just those together would still be many requests: a listing,
 * once begun, also answers the reads that are yet to come in this run. Listings are only read on as far as it seems worth it, so that a few
 * images of a large project don't cost its whole listing.
 *
 * Exact: no answer is older than this process's last write to its image, and only an image's own request says that there is none.
 */
export class Reads<T> {
  readonly #of: ReadsOf<T>;
  readonly #known = new Map<string, Known<T>>();
  /** By `#clock`: when each image was last written to. */
  readonly #written = new Map<string, number>();
  #listings = new Map<string, { pages: AsyncGenerator<T[]>; read: number; ended: boolean }>();
  #waiting: Waiting<T>[] = [];
  #working = false;
  /** Counts what happens: times are too coarse to tell what came first. */
  #clock = 0;
  /** How often images of a refresh had to be asked for; how many images were asked for altogether. */
  #rounds = 0;
  #asked = 0;

  constructor(of: ReadsOf<T>) {
    this.#of = of;
  }

  /**
   * The image, or undefined when the service has none of this id that we may see.
   * @param earlierWillDo an answer may be from earlier in this run, as for a refresh; else the service is asked after this
   */
  read(id: string, earlierWillDo = false): Promise<T | undefined> {
    const image = earlierWillDo ? this.#earlier(id) : undefined;
    if (image !== undefined) return Promise.resolve(image);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, earlierWillDo, resolve, reject });
      if (this.#working) return;
      this.#working = true;
      // The engine hands over what it reads in parallel within one turn of the event loop or two.
      setTimeout(() => void this.#work(), 2);
    });
  }

  /** What was read of an image so far doesn't count any more, nor what is being read. To be called before a write and after it. */
  wrote(id: string): void {
    this.#known.delete(id);
    this.#written.set(id, ++this.#clock);
  }

  /** One batch after the other: what comes in meanwhile is the next one. */
  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#answer(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#working = false;
  }

  async #answer(batch: Waiting<T>[]): Promise<void> {
    const since = this.#clock;
    let waiting = batch;
    const answerKnown = () => {
      waiting = waiting.filter(({ id, earlierWillDo, resolve }) => {
        const known = this.#known.get(id);
        const image = known && known.asked > since ? known.image : earlierWillDo ? this.#earlier(id) : undefined;
        if (image !== undefined) resolve(image);
        return image === undefined;
      });
      return [...new Set(waiting.map(({ id }) => id))];
    };
    let missing = answerKnown();
    if (missing.length === 0) return;
    const many = waiting.some(one => one.earlierWillDo);
    if (many) this.#rounds += 1;
    this.#asked += missing.length;
    // What is known isn't good enough any more: the listings are begun anew.
    if (missing.some(id => this.#known.has(id))) this.#listings.clear();

    for (const listing of this.#isWorthListing(missing.length, many) ? this.#of.listings(missing) : []) {
      while (missing.length > 0 && (await this.#readOn(listing))) missing = answerKnown();
    }
    const { some } = this.#of;
    if (some !== undefined && missing.length > 1) {
      for (let start = 0; start < missing.length; start += some.most) {
        const asked = missing.slice(start, start + some.most);
        const begun = ++this.#clock;
        for (const image of await some.read(asked)) {
          // A query that was cut on its way is answered with images that nobody asked for.
          if (asked.includes(this.#of.idOf(image))) this.#keep(image, begun);
        }
      }
      missing = answerKnown();
    }
    // A listing doesn't show everything that can be read by its id. The next batch needn't wait for these.
    const left = waiting;
    for (const id of missing)
      void this.#readOne(
        id,
        left.filter(one => one.id === id),
      );
  }

  async #readOne(id: string, waiting: Waiting<T>[]): Promise<void> {
    const begun = ++this.#clock;
    try {
      const image = await this.#of.one(id);
      if (image !== undefined) this.#keep(image, begun);
      for (const { resolve } of waiting) resolve(image);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  /**
   * Where images can be asked for by their ids, the first batch is: there may be no other.
   * @param many some of them are part of a refresh, so that more may follow
   */
  #isWorthListing(count: number, many: boolean): boolean {
    if (this.#of.some !== undefined) return many && this.#rounds > 1;
    return count > fewIds || (many && this.#asked > fewIds);
  }

  /** Reads a listing's next page. @returns false when there is none, or when it doesn't seem worth it yet */
  async #readOn(listing: Listing<T>): Promise<boolean> {
    const { name, likely } = listing;
    let state = this.#listings.get(name);
    if (state === undefined) {
      state = { pages: listing.pages(), read: 0, ended: false };
      this.#listings.set(name, state);
    }
    const worth = likely
      ? 2 ** (this.#rounds - 1)
      : this.#of.some === undefined
        ? this.#asked
        : 2 + this.#asked / readsAPage;
    if (state.ended || state.read >= worth) return false;
    const begun = ++this.#clock;
    try {
      const { done, value } = await state.pages.next();
      state.read += 1;
      state.ended = done === true;
      if (!done) for (const image of value) this.#keep(image, begun);
      return !done;
    } catch (error) {
      this.#listings.delete(name);
      throw error;
    }
  }

  #keep(image: T, asked: number): void {
    const id = this.#of.idOf(image);
    if (asked > (this.#written.get(id) ?? 0)) this.#known.set(id, { image, asked, at: Date.now() });
  }

  #earlier(id: string): T | undefined {
    const known = this.#known.get(id);
    if (known === undefined || Date.now() - known.at > this.#of.maxAgeMs) return undefined;
    return this.#of.atRest(known.image, this.#written.has(id)) ? known.image : undefined;
  }
}
