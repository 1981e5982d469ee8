import { type ImageApi, isoTime, policyRefusal } from "./api.ts";
import { checkText } from "./create.ts";
import { HttpError } from "./errors.ts";
import { tooMany } from "./quota.ts";
import type { Caller, Image, Member } from "./state.ts";

const STATUSES = ["pending", "accepted", "rejected"] as const;

/** The member document that a client gets. @see https://docs.openstack.org/api-ref/image/v2/#sharing */
export const memberView = (member: Member) => ({
  member_id: member.member_id,
  image_id: member.image_id,
  status: member.status,
  created_at: isoTime(member.created_at),
  updated_at: isoTime(member.updated_at),
  schema: "/v2/schemas/member",
});

/** Members are rows of their own: parallel changes don't lose each other. */
export function addMember(api: ImageApi, caller: Caller, imageId: string, body: unknown): Member {
  const memberId = field(body, "member", "Member to be added not specified", '{"member": "image_id"}');
  if (!memberId) throw new HttpError(400, "Member can't be empty");
  // What the database doesn't take is an error of the server's own.
  if (typeof memberId !== "string" || memberId.length > 255) throw new HttpError(500);
  checkText({ member: memberId });
  const image = sharedImage(api, caller, imageId, `Not allowed to create members for image ${imageId}.`);
  if (!owns(image, caller)) throw policyRefusal("add_member");
  const { members } = api.repo.state;
  if (api.repo.membership(imageId, memberId)) {
    throw new HttpError(409, `Member ${memberId} is duplicated for image ${imageId}`);
  }
  const count = members.filter(member => member.image_id === imageId).length;
  if (count + 1 > api.settings.maxMembers) {
    throw tooMany(
      "image members for this image",
      count + 1,
      api.settings.maxMembers,
      `Image member limit exceeded for image ${imageId}: `,
      ":",
    );
  }
  const now = api.repo.now();
  const member: Member = {
    image_id: imageId,
    member_id: memberId,
    status: "pending",
    created_at: now,
    updated_at: now,
  };
  members.push(member);
  api.repo.changed();
  return member;
}

/** Accepts, rejects or puts off a share, which only the project that it is shared with may do. */
export function updateMember(api: ImageApi, caller: Caller, imageId: string, memberId: string, body: unknown): Member {
  const wanted = field(body, "status", "Status not specified", '{"status": "status"}');
  const refusal = `Not allowed to update members for image ${imageId}.`;
  const image = sharedImage(api, caller, imageId, refusal);
  const member = findMember(api, caller, image, memberId);
  if (!caller.isAdmin && image.owner === caller.projectId) throw policyRefusal("modify_member");
  const status = STATUSES.find(known => known === wanted);
  if (!status) {
    throw new HttpError(400, `Incorrect request: Status must be "pending", "accepted" or "rejected".`);
  }
  member.status = status;
  member.updated_at = api.repo.now();
  api.repo.changed();
  return member;
}

/** All members for the owner; for a member only itself. */
export function listMembers(api: ImageApi, caller: Caller, imageId: string): Member[] {
  const image = sharedImage(
    api,
    caller,
    imageId,
    `Not allowed to list members for image ${imageId}: Only shared images have members.`,
  );
  const all = api.repo.state.members.filter(member => member.image_id === imageId);
  return owns(image, caller) ? all : all.filter(member => member.member_id === caller.projectId);
}

export function getMember(api: ImageApi, caller: Caller, imageId: string, memberId: string): Member {
  const image = lookUp(api, caller, imageId);
  if (!api.repo.sharing.includes(image.visibility)) throw new HttpError(404, "Only shared images have members.");
  return findMember(api, caller, image, memberId);
}

export function removeMember(api: ImageApi, caller: Caller, imageId: string, memberId: string): void {
  const refusal = `Not allowed to delete members for image ${imageId}.`;
  const image = sharedImage(api, caller, imageId, refusal);
  if (!owns(image, caller)) throw policyRefusal("delete_member");
  const member = findMember(api, caller, image, memberId);
  const { members } = api.repo.state;
  members.splice(members.indexOf(member), 1);
  api.repo.changed();
}

const owns = (image: Image, caller: Caller) => caller.isAdmin || image.owner === caller.projectId;

function lookUp(api: ImageApi, caller: Caller, imageId: string): Image {
  const image = api.repo.state.images[imageId];
  if (!image || !api.repo.visible(image, caller)) throw new HttpError(404, `Image ${imageId} not found.`);
  return image;
}

function sharedImage(api: ImageApi, caller: Caller, imageId: string, refusal: string): Image {
  const image = lookUp(api, caller, imageId);
  if (!api.repo.sharing.includes(image.visibility)) throw new HttpError(403, refusal);
  return image;
}

function findMember(api: ImageApi, caller: Caller, image: Image, memberId: string): Member {
  const member = api.repo.membership(image.id, memberId);
  const mayKnow = owns(image, caller) || memberId === caller.projectId;
  if (!member || !mayKnow) {
    throw new HttpError(404, `${memberId} not found in the member list of the image ${image.id}.`);
  }
  return member;
}

function field(body: unknown, name: string, missing: string, form: string): string {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new HttpError(400, `Expected a ${name} in the form: ${form}`);
  }
  const value = (body as Record<string, unknown>)[name];
  if (value === undefined) throw new HttpError(400, missing);
  return value as string;
}
