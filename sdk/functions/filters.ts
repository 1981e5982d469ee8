/** Each spelt out, as TypeScript before 4.1 can't put texts together. */
interface SortKeys {
  name: "name" | "name:asc" | "name:desc";
  status: "status" | "status:asc" | "status:desc";
  diskFormat: "diskFormat" | "diskFormat:asc" | "diskFormat:desc";
  containerFormat: "containerFormat" | "containerFormat:asc" | "containerFormat:desc";
  size: "size" | "size:asc" | "size:desc";
  id: "id" | "id:asc" | "id:desc";
  createdAt: "createdAt" | "createdAt:asc" | "createdAt:desc";
  updatedAt: "updatedAt" | "updatedAt:asc" | "updatedAt:desc";
  minDisk: "minDisk" | "minDisk:asc" | "minDisk:desc";
  sizeGigabytes: "sizeGigabytes" | "sizeGigabytes:asc" | "sizeGigabytes:desc";
  region: "region" | "region:asc" | "region:desc";
  account: "account" | "account:asc" | "account:desc";
}

/** In which order, and how many. */
interface Order<Key extends keyof SortKeys> {
  /** Ascending, unless `:desc` is behind it; what is equal in the first is ordered by the next. Default: the service's own order. */
  sort?: SortKeys[Key][];
  /** The most images wanted. Default: all. */
  limit?: number;
  /** The newest of those that match, and no other. Not with `sort` and `limit`. */
  latest?: boolean;
}

type GlanceKeys = "name" | "status" | "diskFormat" | "containerFormat" | "size" | "id" | "createdAt" | "updatedAt";

/** A time, ISO 8601; `gt:`, `gte:`, `lt:`, `lte:`, `eq:` or `neq:` before it: "gte:2026-11-01T00:00:00Z". */
type Time = string;

/** Filters of an Image API v2. Source: docs.openstack.org/api-ref/image/v2, "List images". */
interface GlanceFilters extends Order<GlanceKeys> {
  /** Of a list, the image has one. */
  id?: string | string[];
  name?: string | string[];
  status?: string | string[];
  diskFormat?: string | string[];
  containerFormat?: string | string[];
  /** Id of the project. */
  owner?: string;
  /** What has been shared with this project, by its answer. Default: `accepted`. */
  memberStatus?: "pending" | "accepted" | "rejected" | "all";
  /** Bytes. */
  sizeMin?: number;
  /** Bytes. */
  sizeMax?: number;
  /** The image has all of them. */
  tags?: string[];
  createdAt?: Time;
  updatedAt?: Time;
}

export interface OpenStackFilters extends GlanceFilters {
  /** Default: everything but other projects' community images. */
  visibility?: "private" | "shared" | "community" | "public" | "all";
  /** Hidden images, and only these. Default: false. */
  hidden?: boolean;
  protected?: boolean;
  /** GB. */
  minDisk?: number;
  /** MB. */
  minRam?: number;
  /** MD5, in hex. */
  checksum?: string;
  /** In hex. */
  hashValue?: string;
  /** Custom properties that it has, with these values. */
  properties?: Record<string, string>;
}

export interface EclFilters extends GlanceFilters {
  visibility?: "private" | "shared" | "public";
}

export interface IStackFilters extends GlanceFilters {
  visibility?: "private" | "public";
}

/** Filters of an Image API v1. Source: docs.openstack.org/api-ref/image/v1. */
export interface GlanceV1Filters
  extends Order<"name" | "status" | "diskFormat" | "containerFormat" | "size" | "id" | "createdAt" | "updatedAt"> {
  name?: string;
  status?: string;
  diskFormat?: string;
  containerFormat?: string;
  /** GB. */
  minDisk?: number;
  /** MB. */
  minRam?: number;
  /** Bytes. */
  sizeMin?: number;
  /** Bytes. */
  sizeMax?: number;
  /** Id of the project. */
  owner?: string;
  isPublic?: boolean;
  protected?: boolean;
  /** Changed, or deleted, since then: ISO 8601. */
  changesSince?: string;
  properties?: Record<string, string>;
}

/** Source: docs.digitalocean.com/reference/api, "List All Images". */
export interface DigitalOceanFilters
  extends Order<"name" | "status" | "id" | "createdAt" | "minDisk" | "sizeGigabytes"> {
  name?: string;
  /** DigitalOcean's own images of this kind. */
  type?: "application" | "distribution";
  /** Just this account's own. */
  private?: boolean;
  /** This account's own with this tag. */
  tag?: string;
}

/** What getImages filters by, by service. */
export interface FiltersOf {
  openstack: OpenStackFilters;
  ecl: EclFilters;
  istack: IStackFilters;
  "glance-v1": GlanceV1Filters;
  digitalocean: DigitalOceanFilters;
  divvycloud: DivvyCloudFilters;
}

/** Source: DivvyCloud's Swagger document, "resource/query". */
export interface DivvyCloudFilters
  extends Order<"name" | "status" | "id" | "createdAt" | "updatedAt" | "region" | "account"> {
  /** Ids of the cloud accounts to look in: "divvyorganizationservice:1". Default: all. */
  scopes?: string[];
  name?: string;
  status?: string;
  /** Type of the cloud account: AWS, OPENSTACK, … */
  cloud?: string;
  /** Name of the cloud account. */
  account?: string;
  region?: string;
  /** linux, windows */
  platform?: string;
  /** x86_64, x86_32 */
  architecture?: string;
  virtualizationType?: "PV" | "HVM";
  shared?: boolean;
}
