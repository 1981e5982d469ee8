import type {
  OpenStackImageArgs,
  OpenStackImageCopyArgs,
  OpenStackImageMemberArgs,
  OpenStackImageTagArgs,
} from "./openstack.ts";

/** What an image is, on the service that `service` names: an editor offers, and the compiler allows, just what that one knows. */
export type ImageArgs = OpenStackImageArgs;

/** Who may use an image, on the service that `service` names. */
export type ImageMemberArgs = OpenStackImageMemberArgs;

/** A tag of an image, on the service that `service` names. */
export type ImageTagArgs = OpenStackImageTagArgs;

/** A copy of an image, on the service that `service` names. */
export type ImageCopyArgs = OpenStackImageCopyArgs;

export type * from "./copy.ts";
export type * from "./openstack.ts";
export type * from "./source.ts";
