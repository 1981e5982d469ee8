import { ImagesError } from "../../errors.ts";
import { hasUnknown, type Problem } from "../../fields/field.ts";
import { asked } from "../asked.ts";
import type { Key } from "../keys.ts";
import { type Membership, Memberships } from "../memberships.ts";
import type { Facts, PartService, Values } from "../service.ts";
import { Together } from "../together.ts";
import type { GlanceV1Client, WireMember } from "./client.ts";
import type { GlanceV1Cloud } from "./cloud.ts";

/** An image that a project may use. */
export type SharedImage = WireMember & Membership;

/** Projects that may use an image. A membership counts at once: with the Image API v1 there is nothing to accept. */
export function glanceV1Members(cloud: GlanceV1Cloud, findProject: (name: string) => Promise<string>): PartService {
  const projectOf = asked(findProject);

  async function memberOf(values: Values): Promise<string> {
    const member = String(values.member);
    return looksLikeId(member) ? member.toLowerCase() : await projectOf(member);
  }

  async function keyOf(imageId: unknown, member: string): Promise<Key> {
    const entry = member.toLowerCase();
    return { kind: "member", cloud: await cloud.address(), imageId: String(imageId).toLowerCase(), entry };
  }

  /** Writes a membership, and reads what it is now. */
  async function put(imageId: string, member: string, values: Values): Promise<Facts> {
    try {
      await cloud.client.putMember(imageId, member, values.canShare as boolean | undefined);
    } catch (error) {
      throw explained(imageId, error);
    }
    const id = idOf(imageId, member);
    const found = (await cloud.client.members(imageId))?.find(({ member_id }) => member_id === member);
    if (found !== undefined) return memberFacts(id, found);
    throw new ImagesError("failed", `project ${member} isn't a member of image ${imageId} after it was made one`);
  }

  return {
    async check({ member }) {
      if (typeof member !== "string" || hasUnknown(member)) return { problems: [] };
      const problems: Problem[] = [];
      if (looksLikeId(member)) {
        if (member.toLowerCase() === (await cloud.projectId()).toLowerCase()) {
          const reason =
            "an image needn't be shared with the project that owns it; this is the connection's own project";
          problems.push({ property: "member", reason });
        }
      } else {
        try {
          await projectOf(member);
        } catch (error) {
          if (!(error instanceof ImagesError)) throw error;
          problems.push({ property: "member", reason: error.message });
        }
      }
      return { problems };
    },
    async keysOf(values) {
      const { memberId } = values;
      return [await keyOf(values.imageId, memberId === undefined ? await memberOf(values) : String(memberId))];
    },
    create: async values => await put(String(values.imageId), await memberOf(values), values),
    async read(id) {
      const { imageId, member } = parse(id);
      // The project's own listing tells all that is told of a membership here.
      const all = async () => (await cloud.client.sharedWith(member)) ?? [];
      const found = await cloud.memberships.read(imageId, member, { name: "shared", all });
      return found === undefined ? undefined : memberFacts(id, found);
    },
    async update(id, values) {
      const { imageId, member } = parse(id);
      return await put(imageId, member, values);
    },
    async delete(id, _values, job) {
      const { imageId, member } = parse(id);
      if (job.stays(await keyOf(imageId, member))) return;
      await cloud.client.removeMember(imageId, member);
    },
  };
}

/** Reads of memberships. Those of one image that are asked for at the same time come from one listing. */
export function memberships(client: GlanceV1Client): Memberships<SharedImage> {
  const together = new Together<SharedImage>(async ids => {
    const images = [...new Set(ids.map(id => parse(id).imageId))];
    const found = new Map<string, SharedImage>();
    await Promise.all(
      images.map(async imageId => {
        for (const member of (await client.members(imageId)) ?? []) {
          found.set(idOf(imageId, member.member_id), { ...member, image_id: imageId });
        }
      }),
    );
    return found;
  });
  return new Memberships((imageId, member) => together.read(idOf(imageId, member)));
}

export function memberFacts(id: string, member: WireMember): Facts {
  return { id, imageId: parse(id).imageId, memberId: member.member_id, canShare: member.can_share };
}

function idOf(imageId: string, member: string): string {
  return `${imageId.toLowerCase()}/${encodeURIComponent(member)}`;
}

function parse(id: string): { imageId: string; member: string } {
  const [imageId, member, ...rest] = id.split("/");
  if (imageId && member && rest.length === 0) return { imageId, member: decodeURIComponent(member) };
  throw new ImagesError("invalid", `the id of an ImageMember is <image id>/<project id>, not ${JSON.stringify(id)}`);
}

/** Keystone makes ids of 32 hex digits; a UUID's dashes are what some clouds put in. */
function looksLikeId(member: string): boolean {
  return /^[0-9a-f]{32}$/i.test(member.replaceAll("-", ""));
}

function explained(imageId: string, error: unknown): unknown {
  if (!(error instanceof ImagesError) || (error.status !== 403 && error.status !== 404)) return error;
  return error.status === 404
    ? new ImagesError("not-found", `there is no image ${imageId} on this connection`, { cause: error })
    : new ImagesError("forbidden", error.message, {
        hint: "Only the image's owner may share it, and members with canShare",
        cause: error,
      });
}
