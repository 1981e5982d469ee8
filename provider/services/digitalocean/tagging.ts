import { ImagesError } from "../../errors.ts";
import { gone } from "../lost.ts";
import type { DigitalOceanCloud } from "./cloud.ts";

/** Puts a tag on an image. The tag is made when the account has none of that name. */
export async function addTag(cloud: DigitalOceanCloud, id: string, tag: string): Promise<void> {
  try {
    if (await cloud.client.assignTag(tag, id)) return;
    // No such tag, or with other capital letters; or no such image.
    const written = await cloud.client.createTag(tag);
    if (!(await cloud.client.assignTag(written, id))) throw gone(id);
  } finally {
    cloud.reads.wrote(id);
  }
}

/** Puts a tag on an image that nothing else has: it is made first. */
export async function addOwnTag(cloud: DigitalOceanCloud, id: string, tag: string): Promise<void> {
  try {
    await cloud.client.createTag(tag);
    if (!(await cloud.client.assignTag(tag, id))) throw gone(id);
  } catch (error) {
    // One that nothing carries would stay in the account. Where the answer was lost, the image may carry it.
    const isRefused = error instanceof ImagesError && error.code !== "unavailable";
    if (isRefused) await cloud.client.deleteTag(tag).catch(() => false);
    throw error;
  } finally {
    cloud.reads.wrote(id);
  }
}

/** Takes a tag off an image; one that isn't on it is fine. The tag itself stays in the account: other resources may have it. */
export async function removeTag(cloud: DigitalOceanCloud, id: string, tag: string): Promise<void> {
  await cloud.client.unassignTag(tag, id);
  cloud.reads.wrote(id);
}
