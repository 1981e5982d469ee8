import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import { gone } from "../lost.ts";
import type { Job } from "../service.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceV1Client } from "./client.ts";

export function isGone(image: WireImage | undefined): image is undefined {
  return (
    image === undefined || image.deleted === true || image.status === "deleted" || image.status === "pending_delete"
  );
}

/**
 * Waits until the service has finished what it does with an image's data.
 * @param busy the statuses to wait through: `queued` is one where the service is about to begin
 * @throws ImagesError "not-found" when the image is deleted meanwhile
 */
export async function untilSettled(
  client: GlanceV1Client,
  id: string,
  job: Job,
  busy: readonly string[] = ["saving"],
): Promise<WireImage> {
  let status = "";
  return await waitFor(
    async () => {
      const image = await client.get(id);
      if (isGone(image)) throw gone(id);
      status = image.status;
      if (!busy.includes(status)) return image;
      job.report(status);
      return undefined;
    },
    () => `image ${id} to leave the status ${status}`,
    job,
  );
}

/** The service gives no reason for an image's end: not in the image, nor anywhere else. */
export function killed(id: string, what: string): ImagesError {
  return new ImagesError("failed", `the service killed image ${id}: ${what}`, {
    hint: "It gives no reason; check the source, and ask the service's operator with the image's id",
  });
}
