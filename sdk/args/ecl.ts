import type { Input } from "@pulumi/pulumi";
import type { CommonArgs } from "./common.ts";
import type { CopyToConnection } from "./copy.ts";
import type { LeaveOut } from "./leaveOut.ts";
import type { Adopt, StreamedSource } from "./source.ts";

/** An image on NTT Enterprise Cloud 2.0 (ECL, SDPF), Image Storage v2. Source: sdpf.ntt.com, eclsdk 1.11.1. */
export interface EclImageArgs extends CommonArgs {
  service: "ecl";
  /** 1 to 255 characters; needn't be unique. A new image needs one. */
  name?: Input<string>;
  /**
   * What the data is: raw, qcow2 or iso. The others are in older documents of ECL only, and bring a warning. A change replaces the image.
   * Needed where there is data.
   */
  diskFormat?: Input<"raw" | "qcow2" | "iso" | "aki" | "ari" | "ami" | "vhd" | "vdi" | "vmdk">;
  /** What the data is wrapped in: bare. The others bring a warning. A change replaces the image. Needed where there is data. */
  containerFormat?: Input<"bare" | "aki" | "ari" | "ami" | "ovf">;
  /** The smallest disk that the image boots from, in GB. */
  minDisk?: Input<number>;
  /** The least memory that the image boots with, in MB. */
  minRam?: Input<number>;
  /** Who may use it. */
  visibility?: Input<"private" | "shared" | "public">;
  /** Can't be deleted while true. */
  protected?: Input<boolean>;
  /** ALL of the image's tags, each of 1 to 255 characters; leave it out to have tags managed elsewhere (ImageTag). */
  tags?: Input<Input<string>[]>;
  /**
   * ALL of the tenants (their ids) that the image is shared with: who isn't in it loses it. It invites, and leaves the answers to the
   * tenants. Leave it out to have members managed elsewhere (ImageMember).
   */
  members?: Input<Input<string>[]>;
  /** Custom properties. Those declared are managed, others are left alone; one that is taken out here is removed from the image. */
  properties?: Input<Record<string, Input<string>>>;
  /**
   * `properties` are ALL that the image is to have: a refresh shows others as drift, and `up` then removes them. Those that OpenStack's services
   * and tools add by themselves are left alone still (`os_glance_*`, `owner_specified.*`, what a snapshot of an instance or a volume carries).
   */
  exclusiveProperties?: Input<boolean>;
  /** A UUID of your choice for the image. It can never be used again, not even once the image is deleted. */
  imageId?: Input<string>;
  /** Where the data comes from. Without it the image stays `queued`, for somebody else to fill. A change of the data replaces the image. */
  source?: StreamedSource;
  /** Take an existing image under management instead of making one. */
  adopt?: Adopt;
  /** Take the protection off before the image is deleted. */
  forceDelete?: Input<boolean>;
}

/**
 * A tenant that may use an image on ECL, which must not be public.
 *
 * The owner of an image invites, and only the invited tenant itself can accept or reject. So either the connection is the owner's, with
 * `accept` naming a connection of the invited tenant for the second half; or the connection is the invited tenant's own, `member` is left
 * out, and the invitation is somebody else's doing.
 */
export interface EclImageMemberArgs extends CommonArgs {
  service: "ecl";
  /** The image to share. A change makes another membership. */
  imageId: Input<string>;
  /** Id of the tenant that is invited. Without it: the connection's own tenant. */
  member?: Input<string>;
  /** A connection of the invited tenant, which answers the invitation. */
  accept?: { connection: Input<string> };
  /** The invited tenant's answer. Default with `accept`, or without `member`: `accepted`; else it isn't managed. */
  status?: Input<"accepted" | "rejected" | "pending">;
}

/** One tag of an image on ECL. Only this tag is managed; others aren't seen. */
export interface EclImageTagArgs extends CommonArgs {
  service: "ecl";
  imageId: Input<string>;
  /** 1 to 255 characters. */
  tag: Input<string>;
}

/** A copy of an image on ECL: in another tenant, whatever its region, or in another cloud. */
export interface EclImageCopyArgs extends CommonArgs {
  service: "ecl";
  /** The image to copy. */
  imageId: Input<string>;
  to: CopyToTenant | CopyToConnection;
  /** Take the copy's protection off before it is deleted. */
  forceDelete?: Input<boolean>;
}

/**
 * Another tenant of ECL: a job of ECL's copies the image, and its progress shows while it does. A job that failed, or that was canceled, is
 * started again by the next `up`. A destroy in the meantime cancels it. A job that another stack, another program or a killed run started for
 * the same image and tenant is neither followed nor taken over: a warning names it, and the resource makes a copy of its own.
 */
export interface CopyToTenant extends NothingOfItsOwn {
  /** Id of the tenant, 32 hex digits. A change makes another copy. */
  tenant: Input<string>;
  /** A connection of that tenant: by it the copy is watched, made again where somebody deleted it, and deleted. Without it the copy stays there. */
  connection?: Input<string>;
}

/** The service copies by itself, so that the copy has no data or metadata of its own. */
type NothingOfItsOwn = {
  [Field in Exclude<keyof CopyToConnection, "connection">]?: LeaveOut<"a copy to a tenant has nothing of its own">;
};
