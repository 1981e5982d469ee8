import type { Reads } from "../reads.ts";
import type { ImageFacts } from "../service.ts";
import type { DivvyCloudClient } from "./client.ts";

/** One installation as one user sees it: what the operations in this folder share. */
export interface DivvyCloud {
  client: DivvyCloudClient;
  reads: Reads<ImageFacts>;
}

/** The scope of a query that holds a resource: its cloud account, which its id names. `privateimage:10:us-east-1:ami-0abc:` */
export function scopeOf(id: string): string | undefined {
  const account = id.split(":")[1];
  return account === undefined || !/^\d+$/.test(account) ? undefined : `divvyorganizationservice:${account}`;
}

export function regionOf(id: string): string | undefined {
  return id.split(":")[2];
}
