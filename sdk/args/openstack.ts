import type { Input } from "@pulumi/pulumi";
import type { CommonArgs } from "./common.ts";
import type { CopyToConnection } from "./copy.ts";
import type { LeaveOut } from "./leaveOut.ts";
import type { Adopt, Source } from "./source.ts";

/** An image on an OpenStack Image service (Glance, Image API v2). Source: docs.openstack.org/api-ref/image/v2. */
export interface OpenStackImageArgs extends CommonArgs {
  service: "openstack";
  /** 1 to 255 characters; needn't be unique. A new image needs one. */
  name?: Input<string>;
  /**
   * What the data is: ami, ari, aki, vhd, vhdx, vmdk, raw, qcow2, vdi, iso, ploop, or what else the cloud's operator allows.
   * A change replaces the image. Needed where there is data.
   */
  diskFormat?: Input<string>;
  /** What the data is wrapped in; `bare` for none. A change replaces the image. Needed where there is data. */
  containerFormat?: Input<"ami" | "ari" | "aki" | "bare" | "ovf" | "ova" | "docker" | "compressed">;
  /** The smallest disk that the image boots from, in GB. */
  minDisk?: Input<number>;
  /** The least memory that the image boots with, in MB. */
  minRam?: Input<number>;
  /** Who may use it. The service's default is `shared`: its owner, and who is made a member. `public` is mostly for admins. */
  visibility?: Input<"private" | "shared" | "community" | "public">;
  /** Can't be deleted while true. */
  protected?: Input<boolean>;
  /** Left out of listings, but usable by its id. */
  hidden?: Input<boolean>;
  /** ALL of the image's tags, each of 1 to 255 characters; leave it out to have tags managed elsewhere (ImageTag). */
  tags?: Input<Input<string>[]>;
  /**
   * ALL of the projects (their ids) that the image is shared with: who isn't in it loses it. It invites, and leaves the answers to the
   * projects. Leave it out to have members managed elsewhere (ImageMember).
   */
  members?: Input<Input<string>[]>;
  /** Custom properties. Those declared are managed, others are left alone; one that is taken out here is removed from the image. */
  properties?: Input<Record<string, Input<string>>>;
  /**
   * `properties` are ALL that the image is to have: a refresh shows others as drift, and `up` then removes them. Those that OpenStack's services
   * and tools add by themselves are left alone still (`os_glance_*`, `owner_specified.*`, what a snapshot of an instance or a volume carries).
   */
  exclusiveProperties?: Input<boolean>;
  /** `deactivated`: the data can't be read until it is `active` again. */
  state?: Input<"active" | "deactivated">;
  /** A UUID of your choice for the image. It can never be used again, not even once the image is deleted. */
  imageId?: Input<string>;
  /** The store that gets the data. Default: the cloud's default store. A change replaces the image. */
  store?: Input<string>;
  /** The stores that get the data. Stores added later get a copy, stores taken out lose theirs. */
  stores?: Input<Input<string>[]>;
  /** Where the data comes from. Without it the image stays `queued`, for somebody else to fill. A change of the data replaces the image. */
  source?: Source;
  /** Take an existing image under management instead of making one. */
  adopt?: Adopt;
  /** Take the protection off before the image is deleted. */
  forceDelete?: Input<boolean>;
}

/**
 * A project that may use an image on an OpenStack Image service, whose visibility has to be `shared`.
 *
 * The owner of an image invites, and only the invited project itself can accept or reject. So either the connection is the owner's, with
 * `accept` naming a connection of the invited project for the second half; or the connection is the invited project's own, `member` is
 * left out, and the invitation is somebody else's doing.
 */
export interface OpenStackImageMemberArgs extends CommonArgs {
  service: "openstack";
  /** The image to share. A change makes another membership. */
  imageId: Input<string>;
  /** The project that is invited: its id, or its name where the connection may look it up. Without it: the connection's own project. */
  member?: Input<string>;
  /** A connection of the invited project, which answers the invitation. */
  accept?: { connection: Input<string> };
  /** The invited project's answer. Default with `accept`, or without `member`: `accepted`; else it isn't managed. */
  status?: Input<"accepted" | "rejected" | "pending">;
}

/** One tag of an image on an OpenStack Image service. Only this tag is managed; others aren't seen. */
export interface OpenStackImageTagArgs extends CommonArgs {
  service: "openstack";
  imageId: Input<string>;
  /** 1 to 255 characters. */
  tag: Input<string>;
}

/** A copy of an image on an OpenStack Image service: in more stores of its cloud, or in another cloud, region or project. */
export interface OpenStackImageCopyArgs extends CommonArgs {
  service: "openstack";
  /** The image to copy. */
  imageId: Input<string>;
  to: CopyToStores | CopyToConnection;
}

/** More stores of the same cloud; the server copies (its import method copy-image). */
export interface CopyToStores {
  /** Stores added later get a copy, stores taken out lose theirs. */
  stores: Input<Input<string>[]>;
  connection?: LeaveOut<"a copy goes to stores or to a connection">;
}
