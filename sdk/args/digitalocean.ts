import type { Input } from "@pulumi/pulumi";
import type { CommonArgs } from "./common.ts";
import type { LeaveOut } from "./leaveOut.ts";
import type { Adopt } from "./source.ts";

/**
 * An image on DigitalOcean: a custom image from a url, a snapshot of a droplet, or a backup that is kept as a snapshot. Source:
 * docs.digitalocean.com/reference/api "Images".
 *
 * An image that this provider makes from a url or a droplet carries, as long as it lives, a tag `pulumi-images:…`, by which a create that was
 * interrupted is found again. It isn't among the image's `tags` here, and is deleted with the image.
 */
export interface DigitalOceanImageArgs extends CommonArgs {
  service: "digitalocean";
  /** 1 to 255 characters; needn't be unique. A new image needs one; a backup has one already. */
  name?: Input<string>;
  /** What the image holds, for the control panel. Of an imported image only. */
  distribution?: Input<DigitalOceanDistribution>;
  /** Free text, of an imported image only. */
  description?: Input<string>;
  /**
   * ALL of the image's tags, each of 1 to 255 letters, digits, colons, dashes and underscores; leave it out to have tags managed elsewhere
   * (ImageTag). Tags that the account doesn't have yet are made; capital letters are those of a tag's first use, and make no difference.
   */
  tags?: Input<Input<string>[]>;
  /**
   * Slugs of the regions that the image has to be in, such as `nyc3`. An import goes to the first one, and from there, as a snapshot from its
   * droplet's region, to the others. Regions added later get it too; one that lost it gets it back. Regions that aren't named here aren't
   * managed: an image that appears in one is left alone, and one that is taken out of this list keeps the image, since DigitalOcean can't
   * take it away again.
   */
  regions?: Input<Input<string>[]>;
  /** A url that DigitalOcean imports. A change of the data replaces the image. */
  source?: DigitalOceanSource;
  /** A droplet of which a snapshot is made, once. A change replaces the image. */
  dropletId?: Input<string | number>;
  /**
   * A backup of a droplet, which is converted to a snapshot: the same image, by the same id, that is no longer rotated away. A change replaces
   * the image.
   */
  backupId?: Input<string | number>;
  /** Take an existing image of the account under management instead of making one. `id` is the number as text. */
  adopt?: Adopt;
}

/** What DigitalOcean knows; everything else is `Unknown` to it. */
export type DigitalOceanDistribution =
  | "Arch Linux"
  | "CentOS"
  | "CoreOS"
  | "Debian"
  | "Fedora"
  | "Fedora Atomic"
  | "FreeBSD"
  | "Gentoo"
  | "openSUSE"
  | "RancherOS"
  | "Rocky Linux"
  | "Ubuntu"
  | "Unknown";

/** Image data that DigitalOcean fetches itself: raw, qcow2, vhdx, vdi or vmdk, as it is or in gzip or bzip2, less than 100 GB unpacked. */
export interface DigitalOceanSource {
  /**
   * http or https, to be reached by DigitalOcean and, for its headers, by the provider. A user, a password or a signature in it is passed on,
   * but never kept.
   */
  url: Input<string>;
  /** What DigitalOcean does in any case. */
  mode?: Input<"import">;
  /**
   * `sha256:<hex>` of the data as published; also sha512, sha384, sha224, sha1, md5. A change of it replaces the image. DigitalOcean doesn't say what
   * it received, so this can't be held against it. Default: the url's ETag, or date and length.
   */
  digest?: Input<string>;
  /** A publisher's checksums file (SHA256SUMS, CHECKSUM, …), in place of `digest`. */
  checksums?: Input<string>;
  file?: LeaveOut<"DigitalOcean takes no upload, it fetches a url">;
}

/**
 * A snapshot that is given to another account. The sender offers, the recipient accepts; then the image belongs to the recipient under the same
 * id and is gone from the sender's account, so an Image that manages it there would make a new one: give away images that no program manages,
 * or take them out of it afterwards. Deleting this cancels an offer that wasn't accepted yet; what was accepted stays with the recipient.
 *
 * DigitalOcean can't be asked about an offer: `status` is `pending` as long as the sender has the image, even if the recipient declined.
 */
export interface DigitalOceanImageMemberArgs extends CommonArgs {
  service: "digitalocean";
  /** A snapshot's id. A change makes another offer. */
  imageId: Input<string>;
  /** The recipient's account or team. One of this and `recipientUuid`. */
  recipientEmail?: Input<string>;
  recipientUuid?: Input<string>;
  /** A connection of the recipient's, which accepts. Needs `recipientUuid`. */
  accept?: { connection: Input<string> };
}

/** One tag of an image on DigitalOcean. Only this tag is managed; others aren't seen. A tag that the account doesn't have yet is made. */
export interface DigitalOceanImageTagArgs extends CommonArgs {
  service: "digitalocean";
  imageId: Input<string>;
  /** 1 to 255 letters, digits, colons, dashes and underscores; capital letters make no difference. */
  tag: Input<string>;
}

/** An image of DigitalOcean in more regions. Deleting this leaves it there: DigitalOcean can't take an image out of a region. */
export interface DigitalOceanImageCopyArgs extends CommonArgs {
  service: "digitalocean";
  imageId: Input<string>;
  /** Slugs of regions, such as `ams3`. */
  to: { regions: Input<Input<string>[]> };
}
