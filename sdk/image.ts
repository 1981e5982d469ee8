import * as pulumi from "@pulumi/pulumi";
import type { ImageArgs } from "./args/index.ts";
import { imagePaths } from "./imagePaths.ts";
import { engineOptions, markedInputs } from "./inputs.ts";
import { traceAgain, traceNothing, traceProgramOnly } from "./programStack.ts";

/** Which image to read, and where. */
export type ImageLookup = Pick<ImageArgs, "service" | "connection">;

/**
 * A machine image on an image service.
 *
 * What is declared is managed: it is put right when it was changed outside. What isn't declared is left alone.
 * ```ts
 * const ubuntu = new Image("ubuntu", {
 *   service: "openstack",
 *   name: "ubuntu-24.04",
 *   diskFormat: "qcow2",
 *   containerFormat: "bare",
 *   source: { file: "build/ubuntu.qcow2" },
 *   tags: ["golden"],
 *   properties: { os_distro: "ubuntu" },
 * });
 * export const imageId = ubuntu.id;
 * ```
 * The option `customTimeouts` limits how long create (default 60 minutes), update (60) and delete (30) may take.
 */
export class Image extends pulumi.CustomResource {
  /** The service's word for the image's state: `queued`, `active`, `deactivated`, … */
  declare readonly status: pulumi.Output<string>;
  declare readonly name: pulumi.Output<string>;
  declare readonly diskFormat: pulumi.Output<string>;
  declare readonly containerFormat: pulumi.Output<string>;
  /** GB. */
  declare readonly minDisk: pulumi.Output<number>;
  /** MB. */
  declare readonly minRam: pulumi.Output<number>;
  declare readonly visibility: pulumi.Output<string>;
  /** Everybody may use it (glance-v1). */
  declare readonly isPublic: pulumi.Output<boolean | undefined>;
  declare readonly protected: pulumi.Output<boolean>;
  declare readonly hidden: pulumi.Output<boolean>;
  declare readonly tags: pulumi.Output<string[]>;
  /** Where properties are declared, the declared ones as they are; else all that the image has. */
  declare readonly properties: pulumi.Output<Record<string, string>>;
  /** Ids of the projects it is shared with, where they are declared. */
  declare readonly members: pulumi.Output<string[] | undefined>;
  declare readonly state: pulumi.Output<string>;
  /** Size of the data in bytes. */
  declare readonly size: pulumi.Output<number>;
  /** Size of the disk that the data describes, in bytes. */
  declare readonly virtualSize: pulumi.Output<number | undefined>;
  /** MD5 of the data, in hex. */
  declare readonly checksum: pulumi.Output<string | undefined>;
  /** The algorithm of `hashValue`, e.g. `sha512`. */
  declare readonly hashAlgorithm: pulumi.Output<string | undefined>;
  /** The service's digest of the data, in hex. */
  declare readonly hashValue: pulumi.Output<string | undefined>;
  /** What the source held: `sha256:<hex>` of its bytes, or a url's ETag. A change of it replaces the image. */
  declare readonly content: pulumi.Output<string | undefined>;
  /** Id of the project that owns the image. */
  declare readonly owner: pulumi.Output<string>;
  /** ISO 8601, UTC. */
  declare readonly createdAt: pulumi.Output<string>;
  /** ISO 8601, UTC. */
  declare readonly updatedAt: pulumi.Output<string>;
  /** Path of the data below the service's address, as the Image API v2 has it. */
  declare readonly file: pulumi.Output<string | undefined>;
  /** Path of the image's JSON schema below the service's address, as the Image API v2 has it. */
  declare readonly schema: pulumi.Output<string | undefined>;
  /** Path of the image below the service's address, as the Image API v2 has it. */
  declare readonly self: pulumi.Output<string | undefined>;
  /** The store's own address of the data, where the cloud shows it. */
  declare readonly directUrl: pulumi.Output<string | undefined>;
  /** Addresses of the data in its stores, where the cloud shows them; without credentials. */
  declare readonly locations: pulumi.Output<string[] | undefined>;
  /** The stores that have the data: the declared ones of them where stores are declared. */
  declare readonly stores: pulumi.Output<string[] | undefined>;
  /** What the image holds (digitalocean). */
  declare readonly distribution: pulumi.Output<string | undefined>;
  declare readonly description: pulumi.Output<string | undefined>;
  /** Slugs of the regions that have the image (digitalocean): the declared ones of them where regions are declared. */
  declare readonly regions: pulumi.Output<string[] | undefined>;
  /** The service's word for what kind of image it is: `custom`, `snapshot`, `backup`, … */
  declare readonly imageType: pulumi.Output<string | undefined>;
  /** The name by which a public image is known (digitalocean). */
  declare readonly slug: pulumi.Output<string | undefined>;
  /** What is billed, in GB (digitalocean). */
  declare readonly sizeGigabytes: pulumi.Output<number | undefined>;

  /** Operating system of the image, as ECL notes it (ecl: `.os.type`). */
  declare readonly osType: pulumi.Output<string | undefined>;
  /** Service that the image is for (ecl: `.service.type`). */
  declare readonly serviceType: pulumi.Output<string | undefined>;
  /** License that the image's data needs (ecl). */
  declare readonly licenseSwitch: pulumi.Output<string | undefined>;
  /** Where the data comes from: `snapshot` (istack). */
  declare readonly imageLocation: pulumi.Output<string | undefined>;
  /** The word of the compute service for the image's state: `available` (istack). */
  declare readonly imageState: pulumi.Output<string | undefined>;
  /** Id of the instance that a snapshot is of (istack). */
  declare readonly instanceUuid: pulumi.Output<string | undefined>;
  /** Id of the image that the snapshot's instance was made from (istack). */
  declare readonly baseImageRef: pulumi.Output<string | undefined>;
  /** Id of the user who made the image (istack). */
  declare readonly userId: pulumi.Output<string | undefined>;
  /** Id of the project that owns the image (istack). */
  declare readonly ownerId: pulumi.Output<string | undefined>;
  /** Id of the image's kernel, which is an image too (istack). */
  declare readonly kernelId: pulumi.Output<string | undefined>;
  /** Id of the image's ramdisk, which is an image too (istack). */
  declare readonly ramdiskId: pulumi.Output<string | undefined>;

  /** What the image's resource in DivvyCloud says of it; see the arguments of the same names. */
  declare readonly architecture: pulumi.Output<string | undefined>;
  declare readonly platform: pulumi.Output<string | undefined>;
  declare readonly rootDeviceType: pulumi.Output<string | undefined>;
  declare readonly virtualizationType: pulumi.Output<string | undefined>;
  declare readonly blockDeviceMapping: pulumi.Output<Record<string, unknown>[] | undefined>;
  declare readonly shared: pulumi.Output<boolean | undefined>;
  declare readonly productCode: pulumi.Output<string | undefined>;
  declare readonly productCodeType: pulumi.Output<string | undefined>;
  /** The image's id on the cloud behind DivvyCloud, e.g. `ami-0abc`. */
  declare readonly cloudImageId: pulumi.Output<string | undefined>;
  /** Type of the cloud account behind DivvyCloud: `AWS`, `OPENSTACK`, … */
  declare readonly cloud: pulumi.Output<string | undefined>;
  /** Name of the cloud account behind DivvyCloud. */
  declare readonly account: pulumi.Output<string | undefined>;
  /** Region of the image in DivvyCloud. */
  declare readonly region: pulumi.Output<string | undefined>;
  /** Number of the cloud account in DivvyCloud. */
  declare readonly organizationServiceId: pulumi.Output<number | undefined>;
  /** Tags of the image's resource in DivvyCloud, by key. */
  declare readonly resourceTags: pulumi.Output<Record<string, string> | undefined>;

  constructor(name: string, args: ImageArgs, opts?: pulumi.CustomResourceOptions) {
    const traceAll = traceProgramOnly();
    try {
      super(
        imageType,
        name,
        { ...outputsOf(args), ...markedInputs(imageType, "image", name, args, opts) },
        engineOptions(args, opts),
      );
    } finally {
      traceAll();
    }
  }

  /**
   * Reads an image without managing it.
   * @param id the image's id on the service
   */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    where: ImageLookup,
    opts?: pulumi.CustomResourceOptions,
  ): Image {
    return new ReadImage(name, id, where, opts);
  }
}

const imageType = "pulumi-nodejs:dynamic/images:Image";

class ReadImage extends Image {
  constructor(name: string, id: pulumi.Input<pulumi.ID>, where: ImageLookup, opts?: pulumi.CustomResourceOptions) {
    super(name, where as ImageArgs, { ...opts, id });
  }
}

const ofGlance = [
  ...["minDisk", "minRam", "protected", "owner", "size", "virtualSize", "checksum", "diskFormat", "containerFormat"],
  "properties",
];
const ofGlanceV2 = ["visibility", "tags", "directUrl", "locations", ...ofGlance];

/** What each service reports of an image; `status`, `name`, `content`, `createdAt` and `updatedAt` aside. */
const outputs: Record<ImageArgs["service"], readonly string[]> = {
  openstack: [...ofGlanceV2, "hidden", "state", "hashAlgorithm", "hashValue", "stores", "members"],
  ecl: [...ofGlanceV2, "members", "osType", "serviceType", "licenseSwitch"],
  istack: [
    ...[...ofGlanceV2, "state", "imageLocation", "imageState", "imageType", "instanceUuid", "baseImageRef", "userId"],
    ...["ownerId", "kernelId", "ramdiskId"],
  ],
  "glance-v1": [...ofGlance, "isPublic"],
  digitalocean: [
    ...[
      "distribution",
      "description",
      "regions",
      "imageType",
      "slug",
      "sizeGigabytes",
      "minDisk",
      "tags",
      "visibility",
    ],
  ],
  divvycloud: [
    ...[
      "state",
      "description",
      "minDisk",
      "minRam",
      "architecture",
      "platform",
      "rootDeviceType",
      "virtualizationType",
    ],
    ...["blockDeviceMapping", "shared", "productCode", "productCodeType", "cloudImageId", "cloud", "account", "region"],
    ...["organizationServiceId", "resourceTags"],
  ],
};
const all = [...new Set(ordered(Object.values(outputs).flat()))];

/** With those of every service. */
function ordered(own: readonly string[]): string[] {
  return ["status", "name", "content", "createdAt", ...own, "updatedAt"];
}

/**
 * The engine fills in what a resource names: each output has to be there from the start. Each costs time in the program, so that it is just
 * those of the service, where that is known.
 */
function outputsOf({ service }: ImageLookup): Record<string, undefined> {
  const own = outputs[service];
  return Object.fromEntries((own === undefined ? all : ordered(own)).map(name => [name, undefined]));
}

/** The outputs of other services are there, without a value. */
const nothing = pulumi.output(undefined);
for (const name of all)
  Object.defineProperty(Image.prototype, name, { configurable: true, writable: true, value: nothing });

for (const name of imagePaths.names)
  Object.defineProperty(Image.prototype, name, {
    configurable: true,
    get(this: Image & { service: pulumi.Output<ImageArgs["service"]> }) {
      return pulumi.all([this.service, this.id]).apply(([service, id]) => imagePaths.of(service, id)?.[name]);
    },
  });

/** The SDK sets the outputs one after the other, in the order of `outputsOf`: this is done with the first and with the last of them. */
for (const [name, done] of [
  ["status", traceNothing],
  ["updatedAt", traceAgain],
] as const) {
  Object.defineProperty(Image.prototype, name, {
    configurable: true,
    get: () => nothing,
    set(value) {
      Object.defineProperty(this, name, { value, enumerable: true, configurable: true, writable: true });
      done();
    },
  });
}
