/** What the compiler has to refuse, and to take: never run, only compiled (npm run typecheck). */
import type {
  DigitalOceanImageCopyArgs,
  ImageArgs,
  ImageCopyArgs,
  ImageMemberArgs,
  ImageTagArgs,
} from "../../sdk/index.ts";

const image = {
  service: "digitalocean",
  name: "golden",
  regions: ["nyc3", "ams3"],
  distribution: "Debian",
  source: { url: "https://example.com/disk.raw" },
} as const satisfies Record<string, unknown>;

export const taken: ImageArgs[] = [
  { ...image, regions: ["nyc3"], tags: ["web:1"], description: "" },
  { service: "digitalocean", name: "web", dropletId: 5 },
  { service: "digitalocean", backupId: "5" },
  { service: "digitalocean", adopt: { name: "web" } },
];

export const refused: ImageArgs[] = [
  // @ts-expect-error a field of OpenStack's
  { service: "digitalocean", name: "x", diskFormat: "raw" },
  // @ts-expect-error a field of OpenStack's
  { service: "digitalocean", name: "x", properties: { a: "b" } },
  // @ts-expect-error a field of DigitalOcean's
  { service: "openstack", name: "x", regions: ["nyc3"] },
  // @ts-expect-error an unknown distribution
  { service: "digitalocean", name: "x", distribution: "ubuntu" },
  // @ts-expect-error a file can't be uploaded
  { service: "digitalocean", name: "x", source: { file: "disk.raw" } },
];

export const parts: [ImageMemberArgs, ImageTagArgs, ImageCopyArgs] = [
  { service: "digitalocean", imageId: "5", recipientUuid: "x", accept: { connection: "theirs" } },
  { service: "digitalocean", imageId: "5", tag: "x" },
  { service: "digitalocean", imageId: "5", to: { regions: ["nyc3"] } },
];

export const refusedParts: [ImageMemberArgs, DigitalOceanImageCopyArgs] = [
  // @ts-expect-error a field of OpenStack's
  { service: "digitalocean", imageId: "5", member: "x" },
  // @ts-expect-error a field of OpenStack's
  { service: "digitalocean", imageId: "5", to: { connection: "other" } },
];
