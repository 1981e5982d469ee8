import type { ImageOrder } from "../services/service.ts";
import { isTagOf } from "./ownership.ts";

/** How long an answer counts, in ms. A run that begins an image meanwhile is met by its id. */
const maxAgeMs = 60_000;

/** How a service lists the project's own images by their owner tag. */
export interface OwnerListing<Image> {
  /** What a listing can be filtered by; "nothing": it has all images. */
  filter: "owner tag" | "nothing";
  /**
   * @param stack the part of the owner tag to filter by
   * @param hidden the hidden images, or else the others
   */
  list(stack: string, hidden: boolean): Promise<Image[]>;
  /** The resource part of an image's owner tag. */
  resourceOf(image: Image): string | undefined;
}

/** Whose images are looked for. */
export type OwnerOrder = Pick<ImageOrder, "ownerTag" | "laterTags">;

interface Look<Image> {
  at: number;
  images: Promise<Image[]>;
}

/**
 * Looks for images by their owner tag, in one listing of their stack: a resource's image may carry the tag of any of its replacements. The check
 * of a new resource, its create, and other new resources of the stack share it.
 */
export class OwnerLooks<Image> {
  readonly #listing: OwnerListing<Image>;
  readonly #looks = new Map<string, Look<Image>>();

  constructor(listing: OwnerListing<Image>) {
    this.#listing = listing;
  }

  /**
   * @param options.earlier an answer of the last minute will do
   * @param options.hidden the hidden images, or else the others
   */
  async find(order: OwnerOrder, options: { earlier: boolean; hidden?: boolean }): Promise<Image[]> {
    const { earlier, hidden = false } = options;
    const { stack } = order.ownerTag;
    const key = `${this.#listing.filter === "nothing" ? "" : stack} ${hidden}`;
    if (!earlier || !this.#isRecent(key)) this.#begin(key, this.#listing.list(stack, hidden));
    const images = await (this.#looks.get(key) as Look<Image>).images;
    return images.filter(image => isTagOf(order, this.#listing.resourceOf(image)));
  }

  #isRecent(key: string): boolean {
    const look = this.#looks.get(key);
    return look !== undefined && Date.now() - look.at < maxAgeMs;
  }

  #begin(key: string, images: Promise<Image[]>): void {
    this.#looks.set(key, { at: Date.now(), images });
    images.catch(() => this.#looks.delete(key));
  }
}
