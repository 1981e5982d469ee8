import { ImagesError } from "../../errors.ts";
import type { Membership, MembershipListing } from "../memberships.ts";
import type { GlanceCloud } from "./cloud.ts";

/** A membership as the invited project's listings tell it: without its times. */
export interface Invitation extends Membership {
  status: "pending" | "accepted" | "rejected";
}

const answers = ["accepted", "pending", "rejected"] as const;

/**
 * What a connection's own project was invited to, and what it answered. The owner can list the members of one image only, the invited project
 * all images that it gave the same answer.
 */
export function invitations(cloud: GlanceCloud, name: string): MembershipListing<Invitation> {
  return {
    name,
    async all(most) {
      try {
        return await list(cloud, most);
      } catch (error) {
        // It is a short cut: who can't be asked here is asked about by the owner.
        if (error instanceof ImagesError) return [];
        throw error;
      }
    },
  };
}

async function list({ client, dialect, projectId }: GlanceCloud, most: number): Promise<Invitation[]> {
  const project = await projectId();
  const found = new Map<string, Invitation[]>();
  let pages = 0;
  for (const status of answers) {
    // ECL's shared images are called private, too.
    const query = { member_status: status, ...(dialect.filters ? { visibility: "shared" } : {}) };
    for await (const page of client.pages(query)) {
      // The project's own images are among them, which may be very many.
      if (++pages > most) return [];
      for (const { id, owner } of page) {
        if (owner === project) continue;
        found.set(id, [...(found.get(id) ?? []), { image_id: id, member_id: project.toLowerCase(), status }]);
      }
    }
  }
  // What is shown whatever is asked for (an administrator is shown everything) says nothing about an answer.
  return [...found.values()].flatMap(seen => (seen.length === 1 ? seen : []));
}
