import type { ImageFacts } from "../service.ts";

/** A resource as DivvyCloud writes it, in queries and in details alike: its type, and under the type's name what it is. */
export interface WireResource {
  resource_type?: string;
  privateimage?: WireImage;
  instance?: { common?: WireCommon };
}

/** A private image: `common` is documented, the attributes beside it are the ones of the vendor's own document of the resource. */
export type WireImage = { common?: WireCommon } & Record<string, unknown>;

export interface WireCommon {
  resource_id?: string;
  resource_name?: string;
  /** Type of the cloud account: AWS, OPENSTACK, … */
  cloud?: string;
  /** Name of the cloud account. */
  account?: string;
  organization_service_id?: number;
  region?: string;
  /** YYYY-MM-DD HH:MM:SS, without a zone. */
  creation_timestamp?: string;
  modified_timestamp?: string;
  tags?: Record<string, string>;
}

/** What nobody can change through DivvyCloud: the sdk's name of each attribute, and the vendor's. */
export const fixed = {
  cloudImageId: "image_id",
  rootDeviceType: "root_device_type",
  architecture: "architecture",
  minRam: "min_ram",
  minDisk: "min_disk",
  state: "state",
  description: "description",
  platform: "platform",
  blockDeviceMapping: "block_device_mapping",
  virtualizationType: "virtualization_type",
  shared: "shared",
  productCode: "product_code",
  productCodeType: "product_code_type",
} as const;

/** The same for what DivvyCloud says of every resource. */
export const fixedCommon = {
  cloud: "cloud",
  account: "account",
  region: "region",
  organizationServiceId: "organization_service_id",
} as const;

/** What DivvyCloud says, in the sdk's words; undefined when it isn't an image, or says too little to be one. */
export function factsOf(resource: WireResource | undefined): ImageFacts | undefined {
  const image = resource?.privateimage;
  const common = image?.common;
  const id = text(common?.resource_id) ?? text(image?.resource_id);
  if (image === undefined || id === undefined) return undefined;
  const facts: ImageFacts = { id, status: text(image.state) ?? "unknown" };
  const name = text(image.name) ?? text(common?.resource_name);
  if (name !== undefined) facts.name = name;
  for (const [field, wire] of Object.entries(fixed)) {
    const value = field === "virtualizationType" ? virtualization(image[wire]) : readable(field, image[wire]);
    if (value !== null && value !== undefined) facts[field] = value;
  }
  for (const [field, wire] of Object.entries(fixedCommon)) {
    const value = common?.[wire] ?? image[wire === "region" ? "region_name" : wire];
    if (value !== null && value !== undefined) facts[field] = value;
  }
  if (common?.creation_timestamp) facts.createdAt = utc(common.creation_timestamp);
  if (common?.modified_timestamp) facts.updatedAt = utc(common.modified_timestamp);
  if (common?.tags !== undefined) facts.resourceTags = common.tags;
  return facts;
}

/** Whether a query's answer says as much as a detail would: nothing documents that it always does. */
export function isWhole(resource: WireResource): boolean {
  return resource.privateimage?.image_id !== undefined;
}

/** The vendor documents PV and HVM; clouds have longer words for it. */
function virtualization(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const words: Record<string, string> = { hvm: "HVM", pv: "PV", paravirtual: "PV" };
  return words[value.toLowerCase()] ?? value;
}

/** Whether a list arrives as a list or as JSON in a text isn't documented, nor whether numbers and flags do: both do. */
function readable(field: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if ((field === "minRam" || field === "minDisk") && /^\d+$/.test(value)) return Number(value);
  if (field === "shared" && /^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
  if (field !== "blockDeviceMapping") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** UTC is assumed: no document says which zone it is. */
function utc(time: string): string {
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(time) ? `${time.replace(" ", "T")}Z` : time;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
