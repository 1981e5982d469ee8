import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import type { Job } from "../service.ts";
import { isDeleted, isMark } from "./attributes.ts";
import type { WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";

/**
 * Deletes an image, and the tag that is its mark, and returns when both are gone; an image that is gone already is fine.
 * @param known whether a state has the image's id. Then its mark goes first: once the image is gone nothing leads to the mark any more. An image
 * that is only known by its mark keeps it to the end.
 */
export async function remove(cloud: DigitalOceanCloud, id: string, job: Job, known = false): Promise<void> {
  const image = await cloud.reads.read(id);
  if (image === undefined) return;
  if (image.public) throw publicImage(image);
  if (known) await removeMarks(cloud, image);
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
  if (!known) await removeMarks(cloud, image);
}

/** A tag outlives what it was on. */
async function removeMarks(cloud: DigitalOceanCloud, image: WireImage): Promise<void> {
  for (const tag of image.tags ?? []) if (isMark(tag)) await cloud.client.deleteTag(tag);
}

function publicImage(image: WireImage): ImagesError {
  return new ImagesError("forbidden", `image ${String(image.id)} is DigitalOcean's own public image ${image.name}`, {
    hint: "It can't be deleted: take it out of the stack by pulumi state delete, and read such an image by Image.get",
  });
}
