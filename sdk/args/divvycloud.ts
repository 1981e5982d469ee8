import type { Input } from "@pulumi/pulumi";
import type { CommonArgs } from "./common.ts";
import type { LeaveOut } from "./leaveOut.ts";

/**
 * A private image that DivvyCloud (Rapid7 InsightCloudSec) looks after: an existing one, or one made from an instance.
 *
 * DivvyCloud can change an image's name and nothing else. What is declared besides is an expectation: where the image is different, preview
 * shows it, and `up` says what to do.
 */
export type DivvyCloudImageArgs = DivvyCloudCommonImageArgs &
  (
    | {
        /** Take an existing image under management: by its resource id, or by what has to fit just one. */
        adopt: DivvyCloudAdopt;
        instance?: LeaveOut<"an image is adopted or made from an instance">;
      }
    | {
        /**
         * Resource id of the instance to make the image from, e.g. `instance:10:us-east-1:i-6a8f369b:`. Not on Amazon. A change replaces the image.
         */
        instance: Input<string>;
        adopt?: LeaveOut<"an image is adopted or made from an instance">;
      }
  );

export type DivvyCloudAdopt =
  | {
      /** e.g. `privateimage:10:us-east-1:ami-0abc:` */
      id: Input<string>;
      /** Take the image over although another stack's owner tag claims it. Default: false, which is an error then. */
      takeOver?: Input<boolean>;
      name?: LeaveOut<"adopt by id or by name">;
    }
  | {
      name: Input<string>;
      /** Type of the cloud account: `AWS`, `OPENSTACK`, … */
      cloud?: Input<string>;
      /** Name of the cloud account. */
      account?: Input<string>;
      region?: Input<string>;
      id?: LeaveOut<"adopt by id or by name">;
    };

interface DivvyCloudCommonImageArgs extends CommonArgs {
  service: "divvycloud";
  /** Changed in place. Without it an image that is made from an instance is called `pulumi-images-…`, by its owner tag. */
  name?: Input<string>;
  /** `immediate` (default): a deletion waits until the image is gone. `queued`: it doesn't. */
  deletion?: Input<"immediate" | "queued">;
  /** Expected. */
  description?: Input<string>;
  /** Expected, in the cloud's own words: `available`, … */
  state?: Input<string>;
  /** Expected. */
  architecture?: Input<"x86_64" | "x86_32">;
  /** Expected. */
  platform?: Input<"linux" | "windows">;
  /** Expected: `ebs`, `snapshot`, … */
  rootDeviceType?: Input<string>;
  /** Expected. */
  virtualizationType?: Input<"PV" | "HVM">;
  /** Expected. */
  blockDeviceMapping?: Input<Input<Record<string, unknown>>[]>;
  /** Expected, in MB. */
  minRam?: Input<number>;
  /** Expected, in GB. */
  minDisk?: Input<number>;
  /** Expected: others than its owner may use it. */
  shared?: Input<boolean>;
  /** Expected: 25 letters and digits. */
  productCode?: Input<string>;
  /** Expected. */
  productCodeType?: Input<"marketplace" | "none">;
  /** Expected: the image's id on the cloud behind, e.g. `ami-0abc`. */
  cloudImageId?: Input<string>;
  /** Expected: type of the cloud account, `AWS`, `OPENSTACK`, … */
  cloud?: Input<string>;
  /** Expected: name of the cloud account. */
  account?: Input<string>;
  /** Expected. */
  region?: Input<string>;
  /** Expected: number of the cloud account. */
  organizationServiceId?: Input<number>;
}
