import type { Carrier } from "../../reconcile/ownership.ts";
import type { Memberships } from "../memberships.ts";
import type { Reads } from "../reads.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceClient } from "./client.ts";
import type { Dialect } from "./dialect.ts";
import type { Invitation } from "./invitations.ts";
import type { MemberReads } from "./memberReads.ts";
import type { OwnedImages } from "./owned.ts";
import type { Rest } from "./rest.ts";
import type { WriteQueue } from "./writes.ts";

/** One cloud's Image API v2 as one account sees it: what the operations in this folder share. */
export interface GlanceCloud {
  client: GlanceClient;
  dialect: Dialect;
  reads: Reads<WireImage>;
  members: MemberReads;
  memberships: Memberships<Invitation>;
  writes: WriteQueue;
  rest: Rest;
  owned: OwnedImages;
  /** How images carry their owner tag here; learned from what the cloud refuses. */
  carrier: Carrier;
  /** See ImageService. */
  address(): Promise<string>;
  /** The project that owns what this account makes. */
  projectId(): Promise<string>;
  /** The algorithm whose digest the server reports of an image's data; learned from its first answer. */
  hashAlgorithm: string;
}
