import { ImagesError } from "../../errors.ts";
import { hasUnknown, type Problem } from "../../fields/field.ts";
import { asked } from "../asked.ts";
import type { Key } from "../keys.ts";
import type { MembershipListing } from "../memberships.ts";
import type { OpenOther } from "../registry.ts";
import type { Facts, ImageService, Job, PartService, Values } from "../service.ts";
import type { WireMember } from "./client.ts";
import type { GlanceCloud } from "./cloud.ts";
import { type Invitation, invitations } from "./invitations.ts";

/** The members of images, and besides what another account's membership needs of this one. */
export interface GlanceMembers extends PartService {
  /** Answers an invitation of this account's project. Only the invited project itself may do it. */
  answer(imageId: string, member: string, status: string): Promise<WireMember>;
  /** What this account's project was invited to. */
  readonly invitations: MembershipListing<Invitation>;
}

/**
 * Both halves of sharing: the owner invites, the invited project accepts or rejects.
 * @param connection this one's name
 * @param other opens the connection that `accept` names
 */
export function glanceMembers(
  cloud: GlanceCloud,
  connection: string,
  findProject: (name: string) => Promise<string>,
  other: OpenOther,
): GlanceMembers {
  const own = invitations(cloud, connection);
  const projectOf = asked(findProject);

  /** The project that a membership is about: the one that is named, or the connection's own where it is the invited one. */
  async function memberOf(values: Values): Promise<string> {
    if (values.member === undefined) return await cloud.projectId();
    const member = String(values.member);
    return looksLikeId(member) ? member.toLowerCase() : await projectOf(member);
  }

  async function keyOf(kind: "member" | "answer", imageId: unknown, member: string): Promise<Key> {
    return { kind, cloud: await cloud.address(), imageId: String(imageId).toLowerCase(), entry: member.toLowerCase() };
  }

  async function answer(imageId: string, member: string, status: string): Promise<WireMember> {
    const answered = await cloud.client.answer(imageId, member, status);
    if (answered !== undefined) return answered;
    throw new ImagesError("not-found", `image ${imageId} isn't shared with project ${member}`, {
      hint: "Have its owner make this project a member first, and see that the image's visibility is shared",
    });
  }

  /** Has the invitation answered as it is declared, by whoever may do that. */
  async function settle(found: WireMember, values: Values): Promise<WireMember> {
    const wanted = values.status;
    if (wanted === undefined || wanted === found.status) return found;
    if (values.member === undefined) return await answer(found.image_id, found.member_id, String(wanted));
    const accept = values.accept as { connection: string } | undefined;
    if (accept === undefined) throw onlyTheInvited(found, String(wanted));
    const consumer = other({ connection: accept.connection });
    try {
      return await answererOf(consumer).answer(found.image_id, found.member_id, String(wanted));
    } finally {
      cloud.memberships.wrote(found.image_id);
    }
  }

  /** Who can list what a project was invited to: the project itself, where this is its connection or `accept` names one. */
  async function listingOf(member: string, values: Values): Promise<MembershipListing<Invitation> | undefined> {
    const accept = values.accept as { connection: string } | undefined;
    if (accept === undefined) return member === (await cloud.projectId()).toLowerCase() ? own : undefined;
    try {
      return answererOf(other({ connection: accept.connection })).invitations;
    } catch (error) {
      // A connection that is configured no longer is for check to complain of: the owner's can tell, too.
      if (error instanceof ImagesError) return undefined;
      throw error;
    }
  }

  async function invite(imageId: string, member: string): Promise<WireMember> {
    try {
      const made = await cloud.client.addMember(imageId, member);
      if (made !== undefined) return made;
    } catch (error) {
      throw await explained(cloud, imageId, error);
    }
    const there = await cloud.client.member(imageId, member);
    if (there !== undefined) return there;
    throw new ImagesError(
      "conflict",
      `project ${member} is a member of image ${imageId} already, but its membership can't be read`,
    );
  }

  async function existing(imageId: string, member: string): Promise<WireMember> {
    const found = await cloud.client.member(imageId, member);
    if (found !== undefined) return found;
    throw new ImagesError(
      "not-found",
      `image ${imageId} isn't shared with project ${member}, which the connection belongs to`,
      {
        hint: "Have its owner make this project a member first; or set member, if this connection is the owner's",
      },
    );
  }

  return {
    answer,
    invitations: own,

    async keysOf(values) {
      const member = values.memberId === undefined ? await memberOf(values) : String(values.memberId);
      const answer = await keyOf("answer", values.imageId, member);
      if (values.member === undefined) return [answer];
      const invitation = await keyOf("member", values.imageId, member);
      return values.accept === undefined ? [invitation] : [invitation, answer];
    },

    async check(values) {
      const problems: Problem[] = [];
      const { member } = values;
      const accept = values.accept as { connection?: string } | undefined;
      if (accept?.connection !== undefined && !hasUnknown(accept))
        await other({ connection: accept.connection }).signIn();
      if (typeof member === "string" && !hasUnknown(member)) {
        try {
          if ((await memberOf(values)) === (await cloud.projectId()).toLowerCase()) {
            problems.push({
              property: "member",
              reason: "an image needn't be shared with the project that owns it; this is the connection's own project",
            });
          }
        } catch (error) {
          if (!(error instanceof ImagesError)) throw error;
          problems.push({ property: "member", reason: error.message });
        }
      }
      const answered = values.accept !== undefined || member === undefined;
      return { problems, inputs: values.status === undefined && answered ? { status: "accepted" } : {} };
    },

    async create(values) {
      const imageId = String(values.imageId);
      const member = await memberOf(values);
      const found = values.member === undefined ? await existing(imageId, member) : await invite(imageId, member);
      return memberFacts(await settle(found, values));
    },

    async read(id, values) {
      const { imageId, member } = parse(id);
      // A listing of many doesn't tell the times, which only a read by id wants to know.
      const listing = values.managed === undefined ? undefined : await listingOf(member, values);
      const found =
        listing === undefined
          ? await cloud.members.read(imageId, member)
          : await cloud.memberships.read(imageId, member, listing);
      return found === undefined ? undefined : memberFacts(found);
    },

    async update(id, values) {
      const { imageId, member } = parse(id);
      return memberFacts(await settle(await existing(imageId, member), values));
    },

    async delete(id, values: Values, job: Job) {
      const { imageId, member } = parse(id);
      if (job.stays(await keyOf(values.member === undefined ? "answer" : "member", imageId, member))) return;
      if (values.member !== undefined) {
        try {
          await cloud.client.removeMember(imageId, member);
        } catch (error) {
          // An image that isn't shared any more keeps its members to itself: there is nothing to take away as long as it isn't.
          if (!(error instanceof ImagesError) || error.status !== 403 || (await isShared(cloud, imageId))) throw error;
        }
        return;
      }
      // The invitation is the owner's; what the invited project can take back is its answer.
      await cloud.client.answer(imageId, member, "pending");
    },
  };
}

export function memberFacts(member: Invitation & Partial<WireMember>): Facts {
  return {
    id: `${member.image_id}/${member.member_id}`,
    imageId: member.image_id,
    memberId: member.member_id,
    status: member.status,
    createdAt: member.created_at,
    updatedAt: member.updated_at,
  };
}

function parse(id: string): { imageId: string; member: string } {
  const [imageId, member, ...rest] = id.split("/");
  if (imageId && member && rest.length === 0) return { imageId, member };
  throw new ImagesError("invalid", `the id of an ImageMember is <image id>/<project id>, not ${JSON.stringify(id)}`);
}

/** Keystone makes ids of 32 hex digits; a UUID's dashes are what some clouds put in. */
function looksLikeId(member: string): boolean {
  return /^[0-9a-f]{32}$/i.test(member.replaceAll("-", ""));
}

function answererOf(service: ImageService): GlanceMembers {
  const members = service.members as Partial<GlanceMembers> | undefined;
  if (members?.answer !== undefined) return members as GlanceMembers;
  throw new ImagesError(
    "invalid",
    `accept.connection names a connection of ${service.name}, where nothing is accepted`,
  );
}

async function isShared(cloud: GlanceCloud, imageId: string): Promise<boolean> {
  return cloud.dialect.sharing.includes(String((await cloud.client.get(imageId))?.visibility));
}

/** A refusal's usual reason is the image's visibility, which the server doesn't name. */
async function explained(cloud: GlanceCloud, imageId: string, error: unknown): Promise<unknown> {
  if (!(error instanceof ImagesError) || (error.status !== 403 && error.status !== 404)) return error;
  const image = await cloud.client.get(imageId);
  if (image === undefined) {
    return new ImagesError("not-found", `there is no image ${imageId} on this connection`, { cause: error });
  }
  if (!cloud.dialect.sharing.includes(String(image.visibility))) {
    return new ImagesError(
      "conflict",
      `image ${imageId} can't have members: its visibility is ${String(image.visibility)}`,
      {
        hint: 'Set visibility: "shared" on the image',
        cause: error,
      },
    );
  }
  if (image.owner !== (await cloud.projectId())) {
    return new ImagesError(
      "forbidden",
      `image ${imageId} belongs to project ${String(image.owner)}, and only its owner may share it`,
      {
        hint: "Leave member out to accept what is shared with this connection's own project",
        cause: error,
      },
    );
  }
  return error;
}

function onlyTheInvited(found: WireMember, wanted: string): ImagesError {
  return new ImagesError(
    "forbidden",
    `project ${found.member_id} has ${found.status === "pending" ? "not answered" : found.status} the invitation to image ${found.image_id}, and only that project itself can make it ${wanted}`,
    { hint: "Name one of its connections in accept: { connection }, or leave status out and have it accept by itself" },
  );
}
