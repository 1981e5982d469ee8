import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import type { Job } from "../service.ts";
import type { GlanceCloud } from "./cloud.ts";

/**
 * Deletes an image and returns when it is gone; one that is gone already is fine.
 * @param options.force take a protected image's protection off first
 */
export async function deleteImage(
  cloud: GlanceCloud,
  id: string,
  options: { force: boolean },
  job: Job,
): Promise<void> {
  await cloud.writes.run(id, async () => {
    try {
      await cloud.client.delete(id);
    } catch (error) {
      if (!(error instanceof ImagesError) || (error.status !== 403 && error.status !== 400)) throw error;
      const image = await cloud.client.get(id);
      if (image === undefined) return;
      if (image.protected !== true || error.status !== 403) throw error;
      if (!options.force) throw protectedImage(id, error);
      await cloud.client.patch(id, [{ op: "replace", path: "/protected", value: false }]);
      await cloud.client.delete(id);
    }
    // A cloud with delayed deletion still shows it for a while.
    await waitFor(
      async () => {
        const image = await cloud.client.get(id);
        return image === undefined || image.status === "deleted" || image.status === "pending_delete"
          ? true
          : undefined;
      },
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
