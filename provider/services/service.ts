import type { Connection } from "../connection.ts";
import type { ContentIdentity, Source } from "../content/index.ts";
import type { Problem } from "../fields/field.ts";
import type { ServiceName } from "./names.ts";

/** Declared values of one resource, by the sdk's field names. */
export type Values = Record<string, unknown>;

/**
 * What a service says about one image, in the sdk's words: `id`, `status`, and every field of the service's vocabulary
 * (name, minDisk in GB, minRam in MB, size in bytes, …). A field the service doesn't report is absent.
 */
export type ImageFacts = { id: string; status: string } & Values;

/** One piece of work on behalf of a resource: how it shows its progress, and when it has to end. */
export interface Job {
  /** Shows one line beside the resource while it is being worked on; the last one wins. */
  report(text: string): void;
  /** Leaves a warning beside the resource. */
  warn(text: string): void;
  /** Fires when the work has to stop at the next safe point. */
  signal: AbortSignal;
  /** When waiting ends, in ms since the epoch. */
  deadline: number;
  /** Which resource this is for, in the words of the user: its name in the program. */
  label: string;
}

/** An image as a program wants it to be made. */
export interface ImageOrder {
  values: Values;
  /** The whole source, its secret headers and signed url included; lives in this process only. */
  source?: Source | undefined;
  content?: ContentIdentity | undefined;
  /** What tells an image of this very resource from every other one, see mark.ts. */
  mark: Mark;
}

/** See mark.ts. */
export interface Mark {
  resource: string;
  stack: string;
}

/** What an update has to bring about: the fields whose values differ, with the values wanted. */
export interface ImageChange {
  /** What the image is known to be; only what differs from it is written. */
  actual: ImageFacts;
  wanted: Values;
  /** Names of map entries (properties) that the program no longer declares. */
  removedProperties: readonly string[];
  /** Stores that the program no longer declares. */
  removedStores?: readonly string[];
}

/** Finds images by what a person knows of them. Values are compared by the service. */
export interface ImageQuery {
  id?: string;
  name?: string;
}

/** An image service, as the lifecycles see it: it knows nothing of Pulumi, they know nothing of HTTP. */
export interface ImageService {
  readonly name: ServiceName;
  readonly connection: Connection;
  /** Signs in, once for all callers. Throws "unauthorized", "unavailable" or "configuration". */
  signIn(): Promise<void>;
  /** What only the service can say about an order, before anything is done: stores, import methods, formats. */
  checkImage(values: Values): Promise<Problem[]>;
  /** Makes the image, or takes over what an earlier, interrupted try of the same resource left. */
  createImage(order: ImageOrder, job: Job): Promise<ImageFacts>;
  /** The image, or undefined when there is none (any more). */
  readImage(id: string): Promise<ImageFacts | undefined>;
  findImages(query: ImageQuery): Promise<ImageFacts[]>;
  /** Goes on with an image whose create ended before it was done. */
  completeImage(id: string, order: ImageOrder, job: Job): Promise<ImageFacts>;
  updateImage(id: string, change: ImageChange, job: Job): Promise<ImageFacts>;
  /** Resolves when the image is gone; one that is gone already is fine. */
  deleteImage(id: string, options: { force: boolean }, job: Job): Promise<void>;
  /** Whether the image's data is what the source gives; reads the source once where the digests' algorithms differ. */
  holdsContent(facts: ImageFacts, order: ImageOrder, job: Job): Promise<boolean>;
}
