import type { Connection } from "../connection.ts";
import type { Content } from "../content/index.ts";
import type { FieldTable, Problem } from "../fields/field.ts";
import type { Ownership, OwnerTag } from "../reconcile/ownership.ts";
import type { Removal } from "../reconcile/removeImage.ts";
import type { Key } from "./keys.ts";
import type { Lookups } from "./lookups.ts";
import type { ServiceName } from "./names.ts";

/** Declared values of one resource, by the sdk's field names. */
export type Values = Record<string, unknown>;

/** What a service says about a thing it holds, in the sdk's words. */
export type Facts = { id: string } & Values;

/**
 * What a service says about one image, in the sdk's words: `id`, `status`, and every field of the service's vocabulary
 * (name, minDisk in GB, minRam in MB, size in bytes, …). A field the service doesn't report is absent.
 */
export type ImageFacts = Facts & { status: string };

/** One piece of work on behalf of a resource: how it shows its progress, and when it has to end. */
export interface Job {
  /** Shows one line beside the resource while it is being worked on; the last one wins. */
  report(text: string): void;
  /** Leaves a warning beside the resource. */
  warn(text: string): void;
  /**
   * Whether a thing that is about to be removed has to stay, since the program declares it by another resource; says so in a warning. To be
   * asked right before each thing is removed.
   */
  stays(key: Key): boolean;
  /** Fires when the work has to stop at the next safe point. */
  signal: AbortSignal;
  /** When waiting ends, in ms since the epoch. */
  deadline: number;
  /** Which resource this is for, in the words of the user: its name in the program. */
  label: string;
}

/** The data of an image that is to be made: from a source of the program's, or from another service. */
export interface ImageData {
  /** Bytes that a service gets, where that is known before they are read. */
  size?: number | undefined;
  /** What identifies the data: `sha256:<hex>` of the source's own bytes, or a url's `etag:…`. */
  content?: string | undefined;
  /** The url of the source, whole, where it has one: for a service that fetches it itself. */
  url?: string | undefined;
  /** The service is to fetch the url itself, rather than being sent the data. */
  import: boolean;
  /** Begins to read, from the beginning each time. Digests of what is read are worked out on the way. */
  open(algorithms: readonly string[], doing: string, job: Job): Promise<Content>;
}

/** An image as a program wants it to be made. */
export interface ImageOrder {
  values: Values;
  data?: ImageData | undefined;
  /** What says that an image is this very resource's. */
  ownerTag: OwnerTag;
  /** The resource parts of the owner tags that later replacements of this resource would get: finished images with these are named, too. */
  laterTags?: readonly string[] | undefined;
  /** It is for an ImageCopy, which can't adopt. */
  isCopy?: boolean;
  /** The resource part of the owner tag that the state of an image records, where it has one. */
  recordedOwner?: string | undefined;
}

/** What an update has to bring about: the fields whose values differ, with the values wanted. */
export interface ImageChange {
  /** What the image is known to be; only what differs from it is written. */
  actual: ImageFacts;
  wanted: Values;
  /** Names of map entries (properties) that the program no longer declares. */
  removedProperties: readonly string[];
  /** Names of the fields that the program declares, changed or not: the facts given back have to have them. */
  declared?: readonly string[];
  /** Stores that the program no longer declares. */
  removedStores?: readonly string[];
}

/** Finds images by what a person knows of them. Values are compared by the service. */
export interface ImageQuery {
  id?: string;
  name?: string;
  /** Of DivvyCloud's: type and name of the cloud account, and region. */
  cloud?: string;
  account?: string;
  region?: string;
}

/** An image service, as the lifecycles see it: it knows nothing of Pulumi, they know nothing of HTTP. */
export interface ImageService {
  readonly name: ServiceName;
  readonly connection: Connection;
  /** Signs in, once for all callers. Throws "unauthorized", "unavailable" or "configuration". */
  signIn(): Promise<void>;
  /** Its address, as keys have it (see keys.ts). Sends nothing once signed in. */
  address(): Promise<string>;
  /** What a program may declare of its images: what a copy that comes here has to keep to. */
  imageFields?(): FieldTable;
  /** What only the service can say about an order, before anything is done: stores, import methods, formats. */
  checkImage(values: Values): Promise<Problem[]>;
  /** Makes the image, or resumes what an earlier, interrupted create of the same resource began. See reconcile/ensureImage.ts. */
  createImage(order: ImageOrder, job: Job): Promise<ImageFacts>;
  /** Finished images that carry the order's owner tag: a create leaves them alone, and warns of them. */
  finishedImages(order: ImageOrder): Promise<ImageFacts[]>;
  /**
   * What the image says of its owner; undefined where there is no such image.
   * @param earlier an answer from earlier in this run will do; undefined, too, where it would take a request of its own
   */
  ownershipOf(id: string, earlier?: boolean): Promise<Ownership | undefined>;
  /** Writes an owner tag on an existing image. See reconcile/adoptImage.ts. */
  claimImage(id: string, tag: OwnerTag, takeOver: boolean): Promise<ImageFacts>;
  /** The digests by which the service can say that it has the right data, e.g. `sha512`. */
  readonly digests?: readonly string[];
  /**
   * The image, or undefined when there is none (any more).
   * @param fields names of fields that cost a request of their own, and are wanted all the same
   * @param earlierWillDo an answer may be from earlier in this run, though never from before this process's last write to the image
   */
  readImage(id: string, fields?: readonly string[], earlierWillDo?: boolean): Promise<ImageFacts | undefined>;
  findImages(query: ImageQuery): Promise<ImageFacts[]>;
  /**
   * Goes on with an image whose create ended before it was done. It keeps its id: one that turns out to be no use is removed, for the next
   * up to see that it is gone. @throws ImagesError "not-found", "conflict"
   */
  completeImage(id: string, order: ImageOrder, job: Job): Promise<ImageFacts>;
  /**
   * Whether an image whose create ended early can still be completed; without this, it always can. It can't where the service died, or the
   * network, while it was being sent data or fetched it: such an image takes no more, and only a new one helps.
   * @param job its deadline says how long the service may take to notice that nobody sends any more
   */
  completable?(id: string, job: Job): Promise<boolean>;
  updateImage(id: string, change: ImageChange, job: Job): Promise<ImageFacts>;
  /**
   * Resolves when the image is gone, or with `queued` as soon as the service has been told. An image that somebody else owns stays.
   * @returns whether there was such an image
   */
  deleteImage(id: string, removal: Removal, job: Job): Promise<boolean>;
  /** Whether the image's data is what the order's is; reads that once where the digests' algorithms differ. */
  holdsContent(facts: ImageFacts, order: ImageOrder, job: Job): Promise<boolean>;
  /** The account that the connection is signed in to, which sees what it owns: a project's id, a team's. undefined: the service doesn't tell. */
  account?(): Promise<string | undefined>;
  /** The region that the connection leads to, where an account sees only what is in that one. undefined: it isn't known. */
  region?(): Promise<string | undefined>;
  /** Names the account's project and region on its cloud: the same for two connections that lead to the same place. */
  place?(): Promise<string>;
  /** An image's data, for copying it to another service. */
  imageData?(facts: ImageFacts): ImageData;
  readonly members?: PartService;
  readonly tags?: PartService;
  readonly copies?: PartService;
  /** What it lets one look up. */
  readonly lookups?: Lookups;
}

/** What belongs to an image and is managed by itself: its members, its tags, its copies. */
export interface PartService {
  /**
   * What only the service can say about the inputs, before anything is done; and inputs that follow from them (defaults, what a copy's
   * source is like now), for a preview to show their changes.
   * @param before the inputs of what is there already, which stays as it is where its image is out of use or gone
   * @returns with what the user should know, as warnings
   */
  check?(values: Values, before?: Values): Promise<{ problems: Problem[]; inputs?: Values; warnings?: string[] }>;
  /** What these inputs or outputs declare, and the deletion would take away. Not asked before they are all known. */
  keysOf(values: Values): Promise<Key[]>;
  /** The image that it is, where it is one of its own. @param values its outputs */
  ownImage?(id: string, values: Values): Promise<Key | undefined>;
  /** Makes it; one that is there already is taken over. */
  create(values: Values, job: Job): Promise<Facts>;
  /** It, or undefined when there is none (any more); as it was earlier in this run, before any write of ours. @param values the resource's outputs in the state, or the inputs of a read by id */
  read(id: string, values: Values): Promise<Facts | undefined>;
  /**
   * @param values the inputs now wanted
   * @param changed names of those that differ from what is, `status` where it isn't finished
   * @param before the outputs as they are in the state
   */
  update(id: string, values: Values, changed: readonly string[], job: Job, before: Values): Promise<Facts>;
  /** The service in whose account it is. Default: the one that has the image */
  holder?(values: Values): ImageService | undefined;
  /** As with an image's. @param values the inputs now wanted */
  completable?(id: string, values: Values, job: Job): Promise<boolean>;
  /** Resolves when it is gone; one that is gone already is fine. */
  delete(id: string, values: Values, job: Job): Promise<void>;
}
