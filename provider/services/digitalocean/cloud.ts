import type { DigitalOceanClient } from "./client.ts";
import type { ImageReads } from "./reads.ts";

/** DigitalOcean as one account sees it: what the operations in this folder share. */
export interface DigitalOceanCloud {
  client: DigitalOceanClient;
  reads: ImageReads;
  /** See ImageService. */
  address(): Promise<string>;
}
