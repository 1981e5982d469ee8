import type { Input } from "@pulumi/pulumi";
import type { CommonArgs } from "./common.ts";
import type { CopyToConnection } from "./copy.ts";
import type { LeaveOut } from "./leaveOut.ts";
import type { Adopt, Source } from "./source.ts";

/** An image on an OpenStack Image service that speaks the Image API v1. Source: docs.openstack.org/api-ref/image/v1. */
export type GlanceV1ImageArgs = GlanceV1CommonImageArgs &
  (
    | {
        /**
         * Where the data comes from; mode `import`: the service copies the url by itself (copy_from). Without it the image stays `queued`,
         * for somebody else to fill. A change of the data replaces the image.
         */
        source?: Source;
        location?: LeaveOut<"data is copied from a source or stays at a location">;
      }
    | {
        /**
         * An http or https url where the data stays: the service reads it there each time. Without a password, as it can be seen. A change
         * replaces the image.
         */
        location: Input<string>;
        source?: LeaveOut<"data is copied from a source or stays at a location">;
        adopt?: LeaveOut<"an image that is adopted has its location already">;
      }
  );

interface GlanceV1CommonImageArgs extends CommonArgs {
  service: "glance-v1";
  /** 1 to 255 characters, no blanks at its ends; needn't be unique. A new image needs one. */
  name?: Input<string>;
  /** What the data is. A change replaces the image. Needed where there is data. `ami`, `ari` and `aki` are both formats or none. */
  diskFormat?: Input<"ami" | "ari" | "aki" | "vhd" | "vmdk" | "raw" | "qcow2" | "vdi" | "iso">;
  /** What the data is wrapped in; `bare` for none. A change replaces the image. Needed where there is data. */
  containerFormat?: Input<"ami" | "ari" | "aki" | "bare" | "ovf" | "ova" | "docker">;
  /** The smallest disk that the image boots from, in GB. */
  minDisk?: Input<number>;
  /** The least memory that the image boots with, in MB. */
  minRam?: Input<number>;
  /** Everybody may use it. Mostly for admins. */
  isPublic?: Input<boolean>;
  /** Can't be deleted while true. */
  protected?: Input<boolean>;
  /** Id of the project that the image belongs to. Default: the connection's own; another one is for admins. */
  owner?: Input<string>;
  /**
   * Custom properties. Those declared are managed, others are left alone; one that is taken out here is removed from the image. Names travel
   * as headers: a-z, 0-9, _ and other signs of header names, but neither capitals nor -. Values are any text, neither empty nor with blanks at
   * their ends.
   */
  properties?: Input<Record<string, Input<string>>>;
  /**
   * `properties` are ALL that the image is to have: a refresh shows others as drift, and `up` then removes them. Those that OpenStack's services
   * and tools add by themselves are left alone still (`os_glance_*`, `owner_specified.*`, what a snapshot of an instance or a volume carries).
   */
  exclusiveProperties?: Input<boolean>;
  /** A UUID of your choice for the image. It can never be used again, not even once the image is deleted. */
  imageId?: Input<string>;
  /** Take an existing image under management instead of making one. */
  adopt?: Adopt;
  /** Take the protection off before the image is deleted. */
  forceDelete?: Input<boolean>;
}

/** A project that may use an image on an OpenStack Image service by the Image API v1. It counts at once: there is nothing to accept. */
export interface GlanceV1ImageMemberArgs extends CommonArgs {
  service: "glance-v1";
  /** The image to share. A change makes another membership. */
  imageId: Input<string>;
  /** The project: its id, or its name where the connection may look it up. */
  member: Input<string>;
  /** The project may share the image with others. The service's default: false. */
  canShare?: Input<boolean>;
}

/** A copy of an image of a service with the Image API v1 in another cloud, region or project. */
export interface GlanceV1ImageCopyArgs extends CommonArgs {
  service: "glance-v1";
  /** The image to copy. */
  imageId: Input<string>;
  to: CopyToConnection;
}
