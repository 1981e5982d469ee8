import type { Readable } from "node:stream";
import type { FieldTable } from "../fields/field.ts";
import type { Facts, ImageFacts, Values } from "./service.ts";

/**
 * What a service lets one look up besides its images by id: for the sdk's functions and the command `pulumi-images`. What a service
 * hasn't, isn't there. Nothing here writes, but for `cancelCopyJob`.
 */
export interface Lookups {
  /** What a listing can be filtered and sorted by; see listing.ts. */
  filters(): FieldTable;
  /** Every image that matches, in the order asked for. Pages are the service's own business. */
  listImages(listing: Listing): Promise<ImageFacts[]>;
  /** The filters that leave just the account's own images. */
  ownFilters(): Promise<Values>;
  /** An image's members. undefined: there is no such image. */
  listMembers?(imageId: string): Promise<Facts[] | undefined>;
  /** A JSON schema of the service's own, by its path below /v2/schemas. */
  schema?(name: SchemaName): Promise<Record<string, unknown>>;
  stores?(): Promise<Store[]>;
  importMethods?(): Promise<string[]>;
  regions?(): Promise<Region[]>;
  licenses?(): Promise<string[]>;
  copyJobs?(): Promise<CopyJob[]>;
  /** undefined: there is no such job (any more). */
  copyJob?(id: string): Promise<CopyJob | undefined>;
  /** Asks for the end of a copy. false: there is no such job (any more). @throws ImagesError "conflict" where it is over already */
  cancelCopyJob?(id: string): Promise<boolean>;
  /** An image's data from a byte on, or from an earlier one where the service can't begin there. undefined: the image has no data. */
  openData?(imageId: string, from: number, signal: AbortSignal): Promise<OpenedData | undefined>;
  /** What the service says of itself, for `doctor`. */
  about(): Promise<About>;
}

/** The schemas that an Image API v2 has. */
export const schemaNames = [
  "image",
  "images",
  "member",
  "members",
  "metadefs/namespace",
  "metadefs/object",
  "metadefs/property",
  "metadefs/resource_type",
] as const;
export type SchemaName = (typeof schemaNames)[number];

/** A question for images. */
export interface Listing {
  /** By the names of the service's own filters. */
  filters: Values;
  sort: readonly SortKey[];
  /** The most images wanted; without it all. */
  most?: number;
}

export interface SortKey {
  /** In the sdk's words. */
  field: string;
  descending: boolean;
}

/** A place where an OpenStack cloud keeps image data. */
export interface Store {
  id: string;
  description?: string;
  /** Takes the data that names no store. */
  isDefault: boolean;
  readOnly: boolean;
}

export interface Region {
  slug: string;
  name: string;
  /** Takes new images. */
  available: boolean;
}

/** A copy of an image to another tenant, as ECL's image replicator reports it. */
export interface CopyJob {
  id: string;
  /** replicate_requested, replicating, replicated, cancel_requested, canceling, canceled, error */
  status: string;
  /** Percent. */
  progress: number;
  imageId: string;
  imageName?: string;
  /** Once there is one. */
  destinationImageId?: string;
  tenantId?: string;
  destinationTenantId?: string;
  region?: string;
  destinationRegion?: string;
}

export interface OpenedData {
  stream: Readable;
  /** Where the stream begins, in bytes from the beginning of the data. */
  from: number;
}

export interface About {
  /** Versions of its API, newest first; empty where it doesn't say. */
  versions: string[];
  /** The service's clock, as its answer had it. */
  clock?: Date;
}
