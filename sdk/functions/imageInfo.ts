/** What every service says of an image. */
interface AnyImageInfo {
  id: string;
  /** The service's own word: `active`, `available`, … */
  status: string;
  name?: string;
  /** ISO 8601, UTC. */
  createdAt?: string;
}

/** An image on an Image API v2. A value that the service has none of is left out. */
interface GlanceImageInfo extends AnyImageInfo {
  diskFormat?: string;
  containerFormat?: string;
  /** GB. */
  minDisk?: number;
  /** MB. */
  minRam?: number;
  visibility?: string;
  protected?: boolean;
  tags?: string[];
  /** The custom properties. */
  properties: Record<string, string>;
  /** Bytes of data. */
  size?: number;
  /** Bytes of the disk that the data describes. */
  virtualSize?: number;
  /** MD5 of the data, in hex. */
  checksum?: string;
  /** Id of the project that owns it. */
  owner?: string;
  /** ISO 8601, UTC. */
  updatedAt?: string;
  /** Paths below the service's address. */
  file?: string;
  schema?: string;
  self?: string;
  /** The store's own address of the data, where the cloud shows it; without credentials. */
  directUrl?: string;
  /** Addresses of the data in its stores, where the cloud shows them; without credentials. */
  locations?: string[];
}

export interface OpenStackImageInfo extends GlanceImageInfo {
  hidden?: boolean;
  state: "active" | "deactivated";
  /** The algorithm of `hashValue`, e.g. `sha512`. */
  hashAlgorithm?: string;
  /** The service's digest of the data, in hex. */
  hashValue?: string;
  /** The stores that have the data. */
  stores?: string[];
}

export interface EclImageInfo extends GlanceImageInfo {
  osType?: string;
  serviceType?: string;
  licenseSwitch?: string;
}

export interface IStackImageInfo extends GlanceImageInfo {
  state: "active" | "deactivated";
  imageLocation?: string;
  imageState?: string;
  imageType?: string;
  instanceUuid?: string;
  baseImageRef?: string;
  userId?: string;
  ownerId?: string;
  kernelId?: string;
  ramdiskId?: string;
}

export interface GlanceV1ImageInfo extends AnyImageInfo {
  diskFormat?: string;
  containerFormat?: string;
  /** GB. */
  minDisk?: number;
  /** MB. */
  minRam?: number;
  isPublic?: boolean;
  protected?: boolean;
  properties: Record<string, string>;
  /** Bytes of data. */
  size?: number;
  /** Bytes of the disk that the data describes. */
  virtualSize?: number;
  /** MD5 of the data, in hex. */
  checksum?: string;
  owner?: string;
  /** ISO 8601, UTC. */
  updatedAt?: string;
}

export interface DigitalOceanImageInfo extends AnyImageInfo {
  /** Slugs of the regions that have it. */
  regions: string[];
  tags: string[];
  description: string;
  /** `public` for DigitalOcean's own. */
  visibility: "public" | "private";
  /** base, snapshot, backup, custom, admin */
  imageType?: string;
  distribution?: string;
  slug?: string;
  /** GB. */
  minDisk?: number;
  /** GB, not a whole number. */
  sizeGigabytes?: number;
}

export interface DivvyCloudImageInfo extends AnyImageInfo {
  description?: string;
  /** The id that the cloud itself has for it: ami-… */
  cloudImageId?: string;
  /** Type of the cloud account: AWS, OPENSTACK, … */
  cloud?: string;
  /** Name of the cloud account. */
  account?: string;
  organizationServiceId?: number;
  region?: string;
  state?: string;
  platform?: string;
  architecture?: string;
  virtualizationType?: string;
  rootDeviceType?: string;
  blockDeviceMapping?: unknown;
  /** GB. */
  minDisk?: number;
  /** MB. */
  minRam?: number;
  shared?: boolean;
  productCode?: string;
  productCodeType?: string;
  /** What DivvyCloud saw as tags on the resource. */
  resourceTags?: Record<string, string>;
  /** ISO 8601; UTC is assumed, as DivvyCloud says no zone. */
  updatedAt?: string;
}

/** What getImage and getImages give, by service. */
export interface ImageInfoOf {
  openstack: OpenStackImageInfo;
  ecl: EclImageInfo;
  istack: IStackImageInfo;
  "glance-v1": GlanceV1ImageInfo;
  digitalocean: DigitalOceanImageInfo;
  divvycloud: DivvyCloudImageInfo;
}
