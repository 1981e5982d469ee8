import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import type { Job } from "../service.ts";
import type { GlanceV1Cloud } from "./cloud.ts";
import { isGone } from "./waiting.ts";

/**
 * Deletes an image and returns when it is gone; one that is gone already is fine.
 * @param options.force take a protected image's protection off first
 */
export async function deleteImage(
  cloud: GlanceV1Cloud,
  id: string,
  options: { force: boolean },
  job: Job,
): Promise<void> {
  await cloud.writes.run(id, async () => {
    try {
      if (!(await cloud.client.delete(id))) return;
    } catch (error) {
      if (!(error instanceof ImagesError) || error.status !== 403) throw error;
      const image = await cloud.client.get(id);
      if (isGone(image)) return;
      if (!image.protected) throw error;
      if (!options.force) throw protectedImage(id, error);
      await cloud.client.update(id, { protected: false }, {}, false);
      await cloud.client.delete(id);
    }
    // A service with delayed deletion still shows it for a while.
    await waitFor(
      async () => isGone(await cloud.client.get(id)) || undefined,
      () => `image ${id} to be deleted`,
      job,
    );
  });
}

function protectedImage(id: string, cause: ImagesError): ImagesError {
  return new ImagesError("forbidden", `image ${id} is protected, so it is not deleted`, {
    hint: "Set protected: false and apply that first, or set forceDelete: true to have the protection taken off at deletion",
    cause,
  });
}
