import type {
  DigitalOceanImageArgs,
  DigitalOceanImageCopyArgs,
  DigitalOceanImageMemberArgs,
  DigitalOceanImageTagArgs,
} from "./digitalocean.ts";
import type { GlanceV1ImageArgs, GlanceV1ImageCopyArgs, GlanceV1ImageMemberArgs } from "./glanceV1.ts";
import type {
  OpenStackImageArgs,
  OpenStackImageCopyArgs,
  OpenStackImageMemberArgs,
  OpenStackImageTagArgs,
} from "./openstack.ts";

/** What an image is, on the service that `service` names: an editor offers, and the compiler allows, just what that one knows. */
export type ImageArgs = OpenStackImageArgs | GlanceV1ImageArgs | DigitalOceanImageArgs;

/** Who may use an image, on the service that `service` names. */
export type ImageMemberArgs = OpenStackImageMemberArgs | GlanceV1ImageMemberArgs | DigitalOceanImageMemberArgs;

/** A tag of an image, on the service that `service` names. */
export type ImageTagArgs = OpenStackImageTagArgs | DigitalOceanImageTagArgs;

/** A copy of an image, on the service that `service` names. */
export type ImageCopyArgs = OpenStackImageCopyArgs | GlanceV1ImageCopyArgs | DigitalOceanImageCopyArgs;

export type * from "./copy.ts";
export type * from "./digitalocean.ts";
export type * from "./glanceV1.ts";
export type * from "./openstack.ts";
export type * from "./source.ts";
