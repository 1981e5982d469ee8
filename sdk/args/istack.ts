import type { Input } from "@pulumi/pulumi";
import type { CommonArgs } from "./common.ts";
import type { CopyToConnection } from "./copy.ts";
import type { Adopt, StreamedSource } from "./source.ts";

/** An image on iStack, Image API v2. Source: istack-sdk-api-python, page Images. */
export interface IStackImageArgs extends CommonArgs {
  service: "istack";
  /** 1 to 255 characters; needn't be unique. A new image needs one. */
  name?: Input<string>;
  /** What the data is. A change replaces the image. Needed where there is data. */
  diskFormat?: Input<"ami" | "ari" | "aki" | "vhd" | "vmdk" | "raw" | "qcow2" | "vdi" | "iso">;
  /** What the data is wrapped in; `bare` for none. A change replaces the image. Needed where there is data. */
  containerFormat?: Input<"ami" | "ari" | "aki" | "bare" | "ovf" | "ova" | "docker">;
  /** The smallest disk that the image boots from, in GB. */
  minDisk?: Input<number>;
  /** The least memory that the image boots with, in MB. */
  minRam?: Input<number>;
  /** Who may use it: its own project, which is the service's default, or everybody. */
  visibility?: Input<"private" | "public">;
  /** Can't be deleted while true. */
  protected?: Input<boolean>;
  /** ALL of the image's tags, each of 1 to 255 characters; leave it out to have tags managed elsewhere (ImageTag). */
  tags?: Input<Input<string>[]>;
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
  /** Where the data comes from. Without it the image stays `queued`, for somebody else to fill. A change of the data replaces the image. */
  source?: StreamedSource;
  /** Take an existing image under management instead of making one. */
  adopt?: Adopt;
  /** Take the protection off before the image is deleted. */
  forceDelete?: Input<boolean>;
}

/** One tag of an image on iStack. Only this tag is managed; others aren't seen. */
export interface IStackImageTagArgs extends CommonArgs {
  service: "istack";
  imageId: Input<string>;
  /** 1 to 255 characters. */
  tag: Input<string>;
}

/** A copy of an image on iStack in another cloud, region or project. */
export interface IStackImageCopyArgs extends CommonArgs {
  service: "istack";
  /** The image to copy. */
  imageId: Input<string>;
  to: CopyToConnection;
  /** Take the copy's protection off before it is deleted. */
  forceDelete?: Input<boolean>;
}
