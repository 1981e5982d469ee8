import { waitFor } from "../../wait.ts";
import type { Job } from "../service.ts";
import type { DivvyCloud } from "./cloud.ts";

/**
 * Deletes an image; one that is gone already is fine.
 * @param options.queued the deletion is only put into DivvyCloud's job queue, and not waited for
 */
export async function deleteImage(
  cloud: DivvyCloud,
  id: string,
  options: { queued?: boolean | undefined },
  job: Job,
): Promise<void> {
  if (!(await cloud.client.delete(id)) || options.queued) return;
  job.report("waiting in the job queue");
  await waitFor(
    async () => (await cloud.client.detail(id)) === undefined || undefined,
    () => `image ${id} to be gone`,
    job,
  );
}
