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

/** What an image is, on the service that `service` names: an editor offers, and the compiler allows, just what that one knows. */
export type ImageArgs =
  | OpenStackImageArgs
  | EclImageArgs
  | IStackImageArgs
  | GlanceV1ImageArgs
  | DigitalOceanImageArgs
  | DivvyCloudImageArgs;

/** Who may use an image, on the service that `service` names. */
export type ImageMemberArgs =
  | OpenStackImageMemberArgs
  | EclImageMemberArgs
  | GlanceV1ImageMemberArgs
  | DigitalOceanImageMemberArgs;

/** A tag of an image, on the service that `service` names. */
export type ImageTagArgs = OpenStackImageTagArgs | EclImageTagArgs | IStackImageTagArgs | DigitalOceanImageTagArgs;

/** A copy of an image, on the service that `service` names. */
export type ImageCopyArgs =
  | OpenStackImageCopyArgs
  | EclImageCopyArgs
  | IStackImageCopyArgs
  | GlanceV1ImageCopyArgs
  | DigitalOceanImageCopyArgs;

export type * from "./copy.ts";
export type * from "./digitalocean.ts";
export type * from "./divvycloud.ts";
export type * from "./ecl.ts";
export type * from "./glanceV1.ts";
export type * from "./istack.ts";
export type * from "./openstack.ts";
export type * from "./source.ts";
