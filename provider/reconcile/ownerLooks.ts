import type { ImageOrder } from "../services/service.ts";
import { isTagOf, type OwnerTag } from "./ownership.ts";

/** So many resources are looked up one by one; from then on all images of their stack are listed at once. */
const singleLooks = 3;
/** How long an answer counts, in ms. A run that begins an image meanwhile is met by its id. */
const maxAgeMs = 60_000;

/** How a service lists the project's own images by their owner tag. */
export interface OwnerListing<Image> {
  /** What a listing can be filtered by; "nothing": it has all images. */
  filter: "owner tag" | "nothing";
  /**
   * @param by the part of the owner tag to filter by
   * @param hidden the hidden images, or else the others
   */
  list(by: keyof OwnerTag, tag: OwnerTag, hidden: boolean): Promise<Image[]>;
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
 * Looks for images by their owner tag. The check of a new resource and its create share one answer, and many new resources of a
 * stack share one listing.
 */
export class OwnerLooks<Image> {
  readonly #listing: OwnerListing<Image>;
  readonly #looks = new Map<string, Look<Image>>();
  readonly #seen = new Set<string>();

  constructor(listing: OwnerListing<Image>) {
    this.#listing = listing;
  }

  /**
   * @param options.earlier an answer of the last minute will do
   * @param options.hidden the hidden images, or else the others
   * @param options.together all images of the stack at once, however few resources are looked up
   */
  async find(order: OwnerOrder, options: { earlier: boolean; hidden?: boolean; together?: boolean }): Promise<Image[]> {
    const { ownerTag: tag, laterTags = [] } = order;
    const { earlier, hidden = false, together = laterTags.length > 0 } = options;
    this.#seen.add(tag.resource);
    const filtered = this.#listing.filter !== "nothing";
    const keys = {
      resource: `resource ${tag.resource} ${hidden}`,
      stack: `stack ${filtered ? tag.stack : ""} ${hidden}`,
    };
    const by = filtered && !together && this.#seen.size <= singleLooks ? "resource" : "stack";
    const known = earlier ? Object.values(keys).find(key => this.#isRecent(key)) : undefined;
    if (known === undefined) this.#begin(keys[by], this.#listing.list(by, tag, hidden));
    const images = await (this.#looks.get(known ?? keys[by]) as Look<Image>).images;
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
