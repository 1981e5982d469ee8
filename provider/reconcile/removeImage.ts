import type { Job } from "../services/service.ts";
import type { DeleteOptions, ImageAdapter } from "./adapter.ts";
import { type ExpectedOwner, isAnothers } from "./ownership.ts";
import { anothersImage } from "./warnings.ts";

export interface Removal extends DeleteOptions {
  /** Whose image a deletion expects to find; without it the image carries no owner tag of ours. */
  owner?: ExpectedOwner | undefined;
}

/**
 * Deletes the image that a resource's state has, unless somebody else owns it by now: then it stays, with a warning.
 * @returns whether there was such an image
 */
export async function removeImage<Image>(
  adapter: ImageAdapter<Image>,
  id: string,
  { owner, ...options }: Removal,
  job: Job,
): Promise<boolean> {
  const image = await adapter.look(id, false);
  if (image === undefined) return false;
  const isKept = owner !== undefined && isAnothers(await adapter.ownershipOf(image), owner);
  if (isKept) job.warn(anothersImage(adapter.factsOf(image)));
  else await adapter.delete(id, { ...options, recorded: true }, job);
  return true;
}
