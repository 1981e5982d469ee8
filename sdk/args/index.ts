import type {
  DigitalOceanImageArgs,
  DigitalOceanImageCopyArgs,
  DigitalOceanImageMemberArgs,
  DigitalOceanImageTagArgs,
} from "./digitalocean.ts";
import type { DivvyCloudImageArgs } from "./divvycloud.ts";
import type { EclImageArgs, EclImageCopyArgs, EclImageMemberArgs, EclImageTagArgs } from "./ecl.ts";
import type { GlanceV1ImageArgs, GlanceV1ImageCopyArgs, GlanceV1ImageMemberArgs } from "./glanceV1.ts";
import type { IStackImageArgs, IStackImageCopyArgs, IStackImageTagArgs } from "./istack.ts";
import type {
  OpenStackImageArgs,
  OpenStackImageCopyArgs,
  OpenStackImageMemberArgs,
  OpenStackImageTagArgs,
} from "./openstack.ts";

/** What an image is, by the service. */
export interface ImageArgsOf {
  openstack: OpenStackImageArgs;
  ecl: EclImageArgs;
  istack: IStackImageArgs;
  "glance-v1": GlanceV1ImageArgs;
  digitalocean: DigitalOceanImageArgs;
  divvycloud: DivvyCloudImageArgs;
}

/** Who may use an image, by the service. */
export interface ImageMemberArgsOf {
  openstack: OpenStackImageMemberArgs;
  ecl: EclImageMemberArgs;
  "glance-v1": GlanceV1ImageMemberArgs;
  digitalocean: DigitalOceanImageMemberArgs;
}

/** A tag of an image, by the service. */
export interface ImageTagArgsOf {
  openstack: OpenStackImageTagArgs;
  ecl: EclImageTagArgs;
  istack: IStackImageTagArgs;
  digitalocean: DigitalOceanImageTagArgs;
}

/** A copy of an image, by the service. */
export interface ImageCopyArgsOf {
  openstack: OpenStackImageCopyArgs;
  ecl: EclImageCopyArgs;
  istack: IStackImageCopyArgs;
  "glance-v1": GlanceV1ImageCopyArgs;
  digitalocean: DigitalOceanImageCopyArgs;
}

/** What an image is, on the service that `service` names: an editor offers, and the compiler allows, just what that one knows. */
export type ImageArgs<S extends keyof ImageArgsOf = keyof ImageArgsOf> = { service: S } & ImageArgsOf[S];

/** Who may use an image, on the service that `service` names. */
export type ImageMemberArgs<S extends keyof ImageMemberArgsOf = keyof ImageMemberArgsOf> = {
  service: S;
} & ImageMemberArgsOf[S];

/** A tag of an image, on the service that `service` names. */
export type ImageTagArgs<S extends keyof ImageTagArgsOf = keyof ImageTagArgsOf> = { service: S } & ImageTagArgsOf[S];

/** A copy of an image, on the service that `service` names. */
export type ImageCopyArgs<S extends keyof ImageCopyArgsOf = keyof ImageCopyArgsOf> = {
  service: S;
} & ImageCopyArgsOf[S];

/** The image services. */
export type ImageService = ImageArgsOf[keyof ImageArgsOf]["service"];

export type * from "./copy.ts";
export type * from "./declared.ts";
export type * from "./digitalocean.ts";
export type * from "./divvycloud.ts";
export type * from "./ecl.ts";
export type * from "./glanceV1.ts";
export type * from "./istack.ts";
export type * from "./leaveOut.ts";
export type * from "./openstack.ts";
export type * from "./source.ts";
