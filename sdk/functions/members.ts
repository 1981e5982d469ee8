import type * as pulumi from "@pulumi/pulumi";
import { call, callOutput } from "./call.ts";
import type { Inputs } from "./inputs.ts";
import type { Where, WhereInputs } from "./where.ts";

type MemberService = "openstack" | "ecl" | "glance-v1";

/** Somebody with whom an image is shared. */
export interface MemberInfo {
  /** `<image id>/<member id>` */
  id: string;
  imageId: string;
  /** Id of the project. */
  memberId: string;
  /** The project's answer: `pending`, `accepted`, `rejected`. Not on glance-v1, where nothing is answered. */
  status?: string;
  /** May share the image with others (glance-v1). */
  canShare?: boolean;
  /** ISO 8601, UTC. */
  createdAt?: string;
  /** ISO 8601, UTC. */
  updatedAt?: string;
}

/** Lists with whom an image is shared: all to its owner, to a member just itself. Empty for an image that isn't shared. */
export function getMembers(args: Where<MemberService> & { imageId: string }): Promise<MemberInfo[]> {
  return call("getMembers", args);
}

/** {@link getMembers} of inputs. */
export function getMembersOutput(
  args: WhereInputs<MemberService> & Inputs<{ imageId: string }>,
): pulumi.Output<MemberInfo[]> {
  return callOutput(args, getMembers);
}
