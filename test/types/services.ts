/** What the compiler has to refuse, and to take, of each service: never run, only compiled (npm run typecheck). */
import type { Output } from "@pulumi/pulumi";
import { Image, type ImageArgs, type ImageCopyArgs, type ImageMemberArgs, type ImageTagArgs } from "../../sdk/index.ts";

const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } } as const;
const imageId = "3fb0e6a4-7a54-4d5e-9a8e-2f1f0d6c1b2a";
const tenant = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";

export const taken: ImageArgs[] = [
  {
    service: "openstack",
    name: "x",
    ...data,
    stores: ["fast"],
    hidden: true,
    visibility: "community",
    members: [tenant],
  },
  { service: "openstack", name: "x", ...data, source: { url: "https://example.com/x.raw", mode: "import" } },
  { service: "ecl", name: "x", ...data, visibility: "shared", tags: ["a"], members: [tenant], properties: { a: "b" } },
  { service: "istack", name: "x", ...data, visibility: "public", state: "deactivated", imageId },
  { service: "glance-v1", name: "x", ...data, isPublic: true, owner: tenant },
  {
    service: "glance-v1",
    name: "x",
    diskFormat: "raw",
    containerFormat: "bare",
    location: "https://example.com/x.raw",
  },
  { service: "divvycloud", adopt: { name: "x", cloud: "AWS" }, platform: "linux" },
  { service: "divvycloud", instance: "instance:1:a:b:", name: "x", deletion: "queued" },
];

export const refused: ImageArgs[] = [
  // @ts-expect-error DigitalOcean's
  { service: "openstack", name: "x", distribution: "Debian" },
  // @ts-expect-error Glance v1's
  { service: "openstack", name: "x", isPublic: true },
  // @ts-expect-error DivvyCloud's
  { service: "openstack", name: "x", platform: "linux" },
  // @ts-expect-error a container that it hasn't
  { service: "openstack", name: "x", containerFormat: "box" },
  // @ts-expect-error a file and a url
  { service: "openstack", name: "x", source: { file: "disk.raw", url: "https://example.com/x.raw" } },
  // @ts-expect-error OpenStack's
  { service: "ecl", name: "x", stores: ["fast"] },
  // @ts-expect-error OpenStack's
  { service: "ecl", name: "x", hidden: true },
  // @ts-expect-error iStack's
  { service: "ecl", name: "x", state: "active" },
  // @ts-expect-error OpenStack's visibility
  { service: "ecl", name: "x", visibility: "community" },
  // @ts-expect-error OpenStack's format
  { service: "ecl", name: "x", diskFormat: "vhdx" },
  // @ts-expect-error the service imports nothing
  { service: "ecl", name: "x", source: { url: "https://example.com/x.raw", mode: "import" } },
  // @ts-expect-error an output
  { service: "ecl", name: "x", osType: "linux" },
  // @ts-expect-error ECL's
  { service: "istack", name: "x", members: [tenant] },
  // @ts-expect-error ECL's visibility
  { service: "istack", name: "x", visibility: "shared" },
  // @ts-expect-error an output
  { service: "istack", name: "x", kernelId: imageId },
  // @ts-expect-error DigitalOcean's
  { service: "istack", name: "x", regions: ["nyc3"] },
  // @ts-expect-error OpenStack's
  { service: "glance-v1", name: "x", visibility: "public" },
  // @ts-expect-error OpenStack's
  { service: "glance-v1", name: "x", tags: ["a"] },
  // @ts-expect-error both of them
  { service: "glance-v1", name: "x", source: { file: "disk.raw" }, location: "https://example.com/x.raw" },
  // @ts-expect-error OpenStack's
  { service: "divvycloud", adopt: { id: "privateimage:1:a:b:" }, diskFormat: "raw" },
  // @ts-expect-error it takes no data
  { service: "divvycloud", name: "x", source: { file: "disk.raw" } },
  // @ts-expect-error both of them
  { service: "divvycloud", adopt: { id: "privateimage:1:a:b:" }, instance: "instance:1:a:b:" },
  // @ts-expect-error no service
  { service: "aws", name: "x" },
];

export const parts: [ImageMemberArgs, ImageMemberArgs, ImageTagArgs, ImageCopyArgs, ImageCopyArgs, ImageCopyArgs] = [
  { service: "ecl", imageId, member: tenant, accept: { connection: "theirs" } },
  { service: "glance-v1", imageId, member: tenant, canShare: true },
  { service: "istack", imageId, tag: "x" },
  { service: "ecl", imageId, to: { tenant, connection: "theirs" } },
  { service: "istack", imageId, to: { connection: "lab", service: "openstack", visibility: "shared" } },
  { service: "openstack", imageId, to: { stores: ["slow"] } },
];

export const refusedMembers: ImageMemberArgs[] = [
  // @ts-expect-error iStack has no members
  { service: "istack", imageId, member: tenant },
  // @ts-expect-error DivvyCloud has no members
  { service: "divvycloud", imageId, member: tenant },
  // @ts-expect-error Glance v1's
  { service: "openstack", imageId, member: tenant, canShare: true },
  // @ts-expect-error DigitalOcean's
  { service: "ecl", imageId, recipientUuid: "x" },
  // @ts-expect-error OpenStack's: in the Image API v1 nothing is accepted
  { service: "glance-v1", imageId, member: tenant, accept: { connection: "theirs" } },
];

export const refusedTags: ImageTagArgs[] = [
  // @ts-expect-error the Image API v1 has no tags
  { service: "glance-v1", imageId, tag: "x" },
  // @ts-expect-error DivvyCloud writes no tags
  { service: "divvycloud", imageId, tag: "x" },
  // @ts-expect-error one tag
  { service: "ecl", imageId, tags: ["x"] },
];

export const refusedCopies: ImageCopyArgs[] = [
  // @ts-expect-error ECL's
  { service: "openstack", imageId, to: { tenant } },
  // @ts-expect-error OpenStack's
  { service: "ecl", imageId, to: { stores: ["fast"] } },
  // @ts-expect-error the service copies to a tenant by itself
  { service: "ecl", imageId, to: { tenant, name: "x" } },
  // @ts-expect-error DigitalOcean's
  { service: "istack", imageId, to: { regions: ["nyc3"] } },
  // @ts-expect-error OpenStack's
  { service: "glance-v1", imageId, to: { stores: ["fast"] } },
  // @ts-expect-error DivvyCloud copies nothing
  { service: "divvycloud", imageId, to: { connection: "lab" } },
];

declare const args: ImageArgs;
declare const openstack: Image<"openstack">;
declare const divvycloud: Image<"divvycloud">;
declare const digitalocean: Image<"digitalocean">;

/** An Image has what its service reports; one of any service what all of them do. */
export const outputs: [Output<string>, Output<number>, Output<string | undefined>, Image[]] = [
  new Image("x", args).status,
  new Image("x", { service: "openstack" }).size,
  Image.get("x", "id", { service: "istack" }).kernelId,
  [openstack, divvycloud, digitalocean],
];

export const refusedOutputs = [
  // @ts-expect-error iStack's
  openstack.kernelId,
  // @ts-expect-error DigitalOcean's
  openstack.slug,
  // @ts-expect-error DivvyCloud's
  openstack.productCode,
  // @ts-expect-error OpenStack's
  divvycloud.size,
  // @ts-expect-error OpenStack's: its api has paths of images
  digitalocean.file,
  // @ts-expect-error not every service's
  new Image("x", args).visibility,
];

/** A class of a program's own: of one service, or of any. */
export class Golden extends Image<"openstack"> {
  constructor(name: string) {
    super(name, { service: "openstack", name, tags: ["golden"] });
    this.hashValue.apply(value => value);
  }
}

export class AnyGolden extends Image {
  constructor(name: string) {
    // @ts-expect-error no visibility of OpenStack's
    super(name, { service: "openstack", name, visibility: "everybody" });
    this.createdAt.apply(value => value);
  }
}
