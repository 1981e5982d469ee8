import type { Filled, ImageAdapter, Phase } from "../../provider/reconcile/adapter.ts";
import { isTagOf, type OwnerTag } from "../../provider/reconcile/ownership.ts";
import type { ImageFacts, ImageOrder, Job } from "../../provider/services/service.ts";

/** An image of a service that exists in memory only. */
export interface FakeImage {
  id: string;
  /** Who made it; undefined: nobody who writes owner tags. */
  owner?: OwnerTag;
  unfinished?: boolean;
  adopted?: boolean;
  phase: Phase;
  data?: string;
  /** It can't become what is ordered. */
  fixed?: boolean;
}

export const tagOf = (resource: string, stack = "dev"): OwnerTag => ({ resource, stack });

/** An order of the resource `web`, with data. */
export const orderOf = (data = "new", tag = tagOf("web")): ImageOrder => ({
  values: {},
  data: { identity: data } as never,
  ownerTag: tag,
  laterTags: [`${tag.resource}, replaced`],
});

/** A service in memory, with what was done to it in order: "begin new-1", "fill new-1", "delete old". */
export class FakeService {
  readonly images = new Map<string, FakeImage>();
  readonly done: string[] = [];
  readonly warnings: string[] = [];
  /** What a step does instead, by its name; it may change the images first. */
  readonly instead: Partial<Record<"begin" | "fill" | "finish", (image?: FakeImage) => unknown>> = {};

  constructor(images: readonly FakeImage[] = []) {
    for (const image of images) this.images.set(image.id, image);
  }

  readonly job: Job = {
    report() {},
    warn: text => void this.warnings.push(text),
    stays: () => false,
    signal: new AbortController().signal,
    deadline: Date.now() + 60_000,
    label: "web",
  };

  /** Images by their ids, with how they ended: "own" or "other's", "finished" or "unfinished", and the data. */
  ends(): Record<string, string> {
    const end = ({ owner, unfinished, data }: FakeImage) =>
      [owner?.resource ?? "nobody", unfinished ? "unfinished" : "finished", data ?? "empty"].join(" ");
    return Object.fromEntries([...this.images].map(([id, image]) => [id, end(image)]));
  }

  readonly adapter: ImageAdapter<FakeImage> = {
    findOwned: async order => [...this.images.values()].filter(({ owner }) => isTagOf(order, owner?.resource)),
    get: async id => this.images.get(id),
    look: async id => this.images.get(id),
    factsOf: ({ id, phase }): ImageFacts => ({ id, status: phase }),
    ownershipOf: ({ owner, unfinished = false, adopted = false }) => ({
      ...owner,
      ...{ unfinished, adopted, carrier: owner === undefined ? "none" : "properties" },
    }),
    phase: ({ phase }) => phase,
    canBecome: ({ fixed }) => fixed !== true,
    begin: async ({ ownerTag }) => {
      this.instead.begin?.();
      const image: FakeImage = { id: `new-${this.images.size}`, owner: ownerTag, unfinished: true, phase: "empty" };
      this.#write("begin", image);
      return { image, fresh: true };
    },
    settled: async image => image,
    fill: async (image, order): Promise<Filled<FakeImage>> => {
      await this.instead.fill?.(image);
      return { image: this.#write("fill", { ...image, phase: "ready", data: dataOf(order) }) };
    },
    holds: async ({ data }, order) => data === dataOf(order),
    finish: async image => {
      await this.instead.finish?.(image);
      return this.#write("finish", { ...image, unfinished: false });
    },
    claim: async (image, tag) => this.#write("claim", { ...image, owner: tag, unfinished: false, adopted: true }),
    delete: async id => {
      this.done.push(`delete ${id}`);
      this.images.delete(id);
    },
    carrier: () => "properties",
    attempts: 2,
  };

  #write(what: string, image: FakeImage): FakeImage {
    this.done.push(`${what} ${image.id}`);
    this.images.set(image.id, image);
    return image;
  }
}

function dataOf({ data }: ImageOrder): string {
  return String((data as unknown as { identity: string }).identity);
}
