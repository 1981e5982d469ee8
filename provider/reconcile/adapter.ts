import type { ImageFacts, ImageOrder, Job } from "../services/service.ts";
import type { Carrier, Ownership, OwnerTag } from "./ownership.ts";

/** How far an image is: it has no data yet, it has its data, or it never will. */
export type Phase = "empty" | "ready" | "failed";

/**
 * What a service can do with an image, in small operations. None of them decides whether an image may be resumed, taken
 * over or removed: ensureImage.ts and removeImage.ts do.
 */
export interface ImageAdapter<Image> {
  /**
   * The images of the connection's own project that carry the owner tag of this order, finished or not.
   * @param earlier an answer of the last minute will do
   */
  findOwned(order: ImageOrder, earlier: boolean): Promise<Image[]>;
  /** The image as it is now; undefined where there is none. */
  get(id: string): Promise<Image | undefined>;
  /**
   * The same, where many that are asked for together are one request.
   * @param earlier an answer from earlier in this run will do, though never from before a write
   */
  look(id: string, earlier: boolean): Promise<Image | undefined>;
  /** What an image says of its owner takes a request of its own. */
  readonly asksForOwner?: boolean;
  factsOf(image: Image): ImageFacts;
  ownershipOf(image: Image): Ownership | Promise<Ownership>;
  phase(image: Image): Phase;
  /** Whether the image can become what is ordered: what only a new image can change is right. */
  canBecome(image: Image, order: ImageOrder): boolean;
  /** Makes the image's record, marked as unfinished. */
  begin(order: ImageOrder, job: Job): Promise<Begun<Image>>;
  /** Waits until the service is through with the image's data. undefined: it is gone, or will never be through. */
  settled(image: Image, job: Job): Promise<Image | undefined>;
  /**
   * Brings the data, if the order has any, into an empty image, and verifies it.
   * @param fresh this run has just begun the image
   * @throws SpentImage where the image takes no more data, and a new one may
   */
  fill(image: Image, order: ImageOrder, job: Job, fresh: boolean): Promise<Filled<Image>>;
  /** Whether the image's data is what the order's source gives. */
  holds(image: Image, order: ImageOrder, job: Job): Promise<boolean>;
  /**
   * Brings the image's fields to what is ordered, and removes the unfinished marker with its last request.
   * @param fresh this run has just begun the image, with all its fields
   * @returns undefined where another run has finished the image first
   */
  finish(image: Image, order: ImageOrder, job: Job, fresh: boolean): Promise<Image | undefined>;
  /** Facts that only a request of their own tells, for the order's fields. */
  withDetails?(facts: ImageFacts, order: ImageOrder): Promise<ImageFacts>;
  /** Writes another owner tag in the place of what the image says of its owner. */
  claim(image: Image, tag: OwnerTag): Promise<Image>;
  /** Deletes the image and returns when it is gone; one that is gone already is fine. */
  delete(id: string, options: DeleteOptions, job: Job): Promise<void>;
  /** How the images that are made now carry their owner tag. */
  carrier(): Carrier;
  /** Whether a create that fails like this leaves its image to the next run. Default: where time ran out, or the service is gone. */
  keeps?(error: unknown): boolean;
  /** How often a new image is begun when one is spent. */
  readonly attempts?: number;
}

/** What came of beginning an image. */
export interface Begun<Image> {
  /** The new image, or an unfinished one of the same owner tag that another run began. */
  image: Image;
  /** This run has made it. */
  fresh: boolean;
  /** Finished images of the same owner tag that were met on the way. */
  finished?: readonly Image[];
}

/** An image whose data is in. */
export interface Filled<Image> {
  image: Image;
  /** Compares what was sent with what the service says of the finished image. @throws ImagesError "content" */
  verify?(finished: Image): Promise<void>;
}

export interface DeleteOptions {
  /** Take a protected image's protection off first. */
  force: boolean;
  /** Return as soon as the service has been told. */
  queued?: boolean | undefined;
  /** A state has the image's id, so the image is found again without its owner tag. */
  recorded?: boolean;
}

/** An image that takes no more data, although its source is right: only a new image can. */
export class SpentImage extends Error {
  override name = "SpentImage";
  declare readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}
