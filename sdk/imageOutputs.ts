import type * as pulumi from "@pulumi/pulumi";
import type { ImageService } from "./args/index.ts";

/** What services report of an image: each some of it. */
interface EveryOutput {
  /** The service's word for the image's state: `queued`, `active`, `deactivated`, … */
  readonly status: pulumi.Output<string>;
  readonly name: pulumi.Output<string>;
  readonly diskFormat: pulumi.Output<string>;
  readonly containerFormat: pulumi.Output<string>;
  /** GB. */
  readonly minDisk: pulumi.Output<number>;
  /** MB. */
  readonly minRam: pulumi.Output<number>;
  readonly visibility: pulumi.Output<string>;
  /** Everybody may use it (glance-v1). */
  readonly isPublic: pulumi.Output<boolean | undefined>;
  readonly protected: pulumi.Output<boolean>;
  readonly hidden: pulumi.Output<boolean>;
  readonly tags: pulumi.Output<string[]>;
  /** Where properties are declared, the declared ones as they are; else all that the image has. */
  readonly properties: pulumi.Output<Record<string, string>>;
  /** Ids of the projects it is shared with, where they are declared. */
  readonly members: pulumi.Output<string[] | undefined>;
  readonly state: pulumi.Output<string>;
  /** Size of the data in bytes. */
  readonly size: pulumi.Output<number>;
  /** Size of the disk that the data describes, in bytes. */
  readonly virtualSize: pulumi.Output<number | undefined>;
  /** MD5 of the data, in hex. */
  readonly checksum: pulumi.Output<string | undefined>;
  /** The algorithm of `hashValue`, e.g. `sha512`. */
  readonly hashAlgorithm: pulumi.Output<string | undefined>;
  /** The service's digest of the data, in hex. */
  readonly hashValue: pulumi.Output<string | undefined>;
  /** What the source held: `sha256:<hex>` of its bytes, or a url's ETag. A change of it replaces the image. */
  readonly content: pulumi.Output<string | undefined>;
  /** Id of the project that owns the image. */
  readonly owner: pulumi.Output<string>;
  /** ISO 8601, UTC. */
  readonly createdAt: pulumi.Output<string>;
  /** ISO 8601, UTC. */
  readonly updatedAt: pulumi.Output<string>;
  /** Path of the data below the service's address, as the Image API v2 has it. */
  readonly file: pulumi.Output<string | undefined>;
  /** Path of the image's JSON schema below the service's address, as the Image API v2 has it. */
  readonly schema: pulumi.Output<string | undefined>;
  /** Path of the image below the service's address, as the Image API v2 has it. */
  readonly self: pulumi.Output<string | undefined>;
  /** The store's own address of the data, where the cloud shows it. */
  readonly directUrl: pulumi.Output<string | undefined>;
  /** Addresses of the data in its stores, where the cloud shows them; without credentials. */
  readonly locations: pulumi.Output<string[] | undefined>;
  /** The stores that have the data: the declared ones of them where stores are declared. */
  readonly stores: pulumi.Output<string[] | undefined>;
  /** What the image holds (digitalocean). */
  readonly distribution: pulumi.Output<string | undefined>;
  readonly description: pulumi.Output<string | undefined>;
  /** Slugs of the regions that have the image (digitalocean): the declared ones of them where regions are declared. */
  readonly regions: pulumi.Output<string[] | undefined>;
  /** The service's word for what kind of image it is: `custom`, `snapshot`, `backup`, … */
  readonly imageType: pulumi.Output<string | undefined>;
  /** The name by which a public image is known (digitalocean). */
  readonly slug: pulumi.Output<string | undefined>;
  /** What is billed, in GB (digitalocean). */
  readonly sizeGigabytes: pulumi.Output<number | undefined>;

  /** Operating system of the image, as ECL notes it (ecl: `.os.type`). */
  readonly osType: pulumi.Output<string | undefined>;
  /** Service that the image is for (ecl: `.service.type`). */
  readonly serviceType: pulumi.Output<string | undefined>;
  /** License that the image's data needs (ecl). */
  readonly licenseSwitch: pulumi.Output<string | undefined>;
  /** Where the data comes from: `snapshot` (istack). */
  readonly imageLocation: pulumi.Output<string | undefined>;
  /** The word of the compute service for the image's state: `available` (istack). */
  readonly imageState: pulumi.Output<string | undefined>;
  /** Id of the instance that a snapshot is of (istack). */
  readonly instanceUuid: pulumi.Output<string | undefined>;
  /** Id of the image that the snapshot's instance was made from (istack). */
  readonly baseImageRef: pulumi.Output<string | undefined>;
  /** Id of the user who made the image (istack). */
  readonly userId: pulumi.Output<string | undefined>;
  /** Id of the project that owns the image (istack). */
  readonly ownerId: pulumi.Output<string | undefined>;
  /** Id of the image's kernel, which is an image too (istack). */
  readonly kernelId: pulumi.Output<string | undefined>;
  /** Id of the image's ramdisk, which is an image too (istack). */
  readonly ramdiskId: pulumi.Output<string | undefined>;

  /** What the image's resource in DivvyCloud says of it; see the arguments of the same names. */
  readonly architecture: pulumi.Output<string | undefined>;
  readonly platform: pulumi.Output<string | undefined>;
  readonly rootDeviceType: pulumi.Output<string | undefined>;
  readonly virtualizationType: pulumi.Output<string | undefined>;
  readonly blockDeviceMapping: pulumi.Output<Record<string, unknown>[] | undefined>;
  readonly shared: pulumi.Output<boolean | undefined>;
  readonly productCode: pulumi.Output<string | undefined>;
  readonly productCodeType: pulumi.Output<string | undefined>;
  /** The image's id on the cloud behind DivvyCloud, e.g. `ami-0abc`. */
  readonly cloudImageId: pulumi.Output<string | undefined>;
  /** Type of the cloud account behind DivvyCloud: `AWS`, `OPENSTACK`, … */
  readonly cloud: pulumi.Output<string | undefined>;
  /** Name of the cloud account behind DivvyCloud. */
  readonly account: pulumi.Output<string | undefined>;
  /** Region of the image in DivvyCloud. */
  readonly region: pulumi.Output<string | undefined>;
  /** Number of the cloud account in DivvyCloud. */
  readonly organizationServiceId: pulumi.Output<number | undefined>;
  /** Tags of the image's resource in DivvyCloud, by key. */
  readonly resourceTags: pulumi.Output<Record<string, string> | undefined>;
}

/** What every service reports; `updatedAt` is the last one of all. */
type OfEvery = "status" | "name" | "content" | "createdAt" | "updatedAt";
/** Worked out from the image's id. */
type Paths = "file" | "schema" | "self";

const ofGlance = [
  ...["minDisk", "minRam", "protected", "owner", "size", "virtualSize", "checksum", "diskFormat", "containerFormat"],
  "properties",
] as const;
const ofGlanceV2 = ["visibility", "tags", "directUrl", "locations", ...ofGlance] as const;

/** What each service reports of an image beside what all do. */
const outputs = {
  openstack: [...ofGlanceV2, "hidden", "state", "hashAlgorithm", "hashValue", "stores", "members"],
  ecl: [...ofGlanceV2, "members", "osType", "serviceType", "licenseSwitch"],
  istack: [
    ...[...ofGlanceV2, "state", "imageLocation", "imageState", "imageType", "instanceUuid", "baseImageRef", "userId"],
    ...["ownerId", "kernelId", "ramdiskId"],
  ],
  "glance-v1": [...ofGlance, "isPublic"],
  digitalocean: [
    ...["distribution", "description", "regions", "imageType", "slug", "sizeGigabytes", "minDisk", "tags"],
    "visibility",
  ],
  divvycloud: [
    ...["state", "description", "minDisk", "minRam", "architecture", "platform", "rootDeviceType"],
    ...[
      "virtualizationType",
      "blockDeviceMapping",
      "shared",
      "productCode",
      "productCodeType",
      "cloudImageId",
      "cloud",
    ],
    ...["account", "region", "organizationServiceId", "resourceTags"],
  ],
} as const satisfies Record<ImageService, readonly (keyof EveryOutput)[]>;

type OutputNames = typeof outputs;

/** What a service's images have. */
type ImageOutputsOf = {
  [S in ImageService]: Pick<
    EveryOutput,
    OfEvery | OutputNames[S][number] | (S extends "openstack" | "ecl" | "istack" ? Paths : never)
  >;
};

/** What an Image has: one of any service what all of them report. */
export type ImageOutputs<S extends ImageService> = [ImageService] extends [S]
  ? Pick<EveryOutput, keyof EveryOutput & keyof ImageOutputsOf[ImageService]>
  : ImageOutputsOf[S];

/** Those of every service. */
export const allOutputNames = ordered(new Set(Object.values(outputs).flat()));

/** Those of a service: `status` is the first one, `updatedAt` the last. Of a service that isn't known, those of every one. */
export function outputNames(service: ImageService): readonly string[] {
  const own: readonly string[] | undefined = outputs[service];
  return own === undefined ? allOutputNames : ordered(own);
}

function ordered(own: Iterable<string>): string[] {
  return ["status", "name", "content", "createdAt", ...own, "updatedAt"];
}
