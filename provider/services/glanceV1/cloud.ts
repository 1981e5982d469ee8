import type { OwnerLooks } from "../../reconcile/ownerLooks.ts";
import type { Carrier } from "../../reconcile/ownership.ts";
import type { WriteQueue } from "../glance/writes.ts";
import type { Memberships } from "../memberships.ts";
import type { Reads } from "../reads.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceV1Client } from "./client.ts";
import type { SharedImage } from "./members.ts";

/** One cloud's Image API v1 as one account sees it: what the operations in this folder share. */
export interface GlanceV1Cloud {
  client: GlanceV1Client;
  reads: Reads<WireImage>;
  memberships: Memberships<SharedImage>;
  writes: WriteQueue;
  owned: OwnerLooks<WireImage>;
  /** How images carry their owner tag, as far as is known: the Image API v1 has properties, and no image tags. */
  carrier: Carrier;
  /** See ImageService. */
  address(): Promise<string>;
  /** The project that owns what this account makes. */
  projectId(): Promise<string>;
}
