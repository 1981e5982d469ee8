import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import type { Job } from "../service.ts";
import { isDeleted } from "./attributes.ts";
import type { WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { ownTagsOf } from "./ownership.ts";

/**
 * Deletes an image and its owner tag, and returns when both are gone; an image that is gone already is fine.
 * @param recorded whether a state has the image's id. Then its owner tag goes first: once the image is gone nothing leads to the tag any more.
 * An image that is only known by its owner tag keeps it to the end.
 */
export async function deleteImage(cloud: DigitalOceanCloud, id: string, job: Job, recorded: boolean): Promise<void> {
  const image = await cloud.reads.read(id);
  if (image === undefined) return;
  if (image.public) throw publicImage(image);
  if (recorded) await removeOwnTags(cloud, image);
  const there = await cloud.client.deleteImage(id);
  cloud.reads.wrote(id);
  if (there) {
    await waitFor(
      async () => {
        const left = await cloud.client.image(id);
        return left === undefined || isDeleted(left) ? true : undefined;
      },
      () => `image ${id} to be deleted`,
      job,
    );
  }
  if (!recorded) await removeOwnTags(cloud, image);
}

/** A tag outlives what it was on. */
async function removeOwnTags(cloud: DigitalOceanCloud, image: WireImage): Promise<void> {
  for (const tag of ownTagsOf(image)) await cloud.client.deleteTag(tag);
}

function publicImage(image: WireImage): ImagesError {
  return new ImagesError("forbidden", `image ${String(image.id)} is DigitalOcean's own public image ${image.name}`, {
    hint: "It can't be deleted: take it out of the stack by pulumi state delete, and read such an image by Image.get",
  });
}
