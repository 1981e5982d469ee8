import type { ImageFacts, Values } from "../service.ts";
import type { GlanceCloud } from "./cloud.ts";

/** An image's facts with the ids of the projects it is shared with, where they are asked for. */
export async function withMembers(
  cloud: GlanceCloud,
  facts: ImageFacts,
  fields: readonly string[],
): Promise<ImageFacts> {
  return fields.includes("members") ? { ...facts, members: await membersOf(cloud, facts.id) } : facts;
}

/** Shares an image with just the projects that are declared: others lose it, whoever invited them. */
export async function shareAsOrdered(cloud: GlanceCloud, facts: ImageFacts, values: Values): Promise<ImageFacts> {
  if (values.members === undefined) return facts;
  const wanted = (values.members as string[]).map(member => member.toLowerCase());
  const actual = await membersOf(cloud, facts.id);
  for (const member of wanted) if (!actual.includes(member)) await cloud.client.addMember(facts.id, member);
  for (const member of actual) if (!wanted.includes(member)) await cloud.client.removeMember(facts.id, member);
  return await withMembers(cloud, facts, ["members"]);
}

async function membersOf(cloud: GlanceCloud, imageId: string): Promise<string[]> {
  return ((await cloud.client.members(imageId)) ?? []).map(member => member.member_id).sort();
}
