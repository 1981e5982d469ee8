import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import { gone } from "../lost.ts";
import type { Job } from "../service.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceClient, WireTask } from "./client.ts";

/** Statuses in which the server is still at work on an image's data. Source: docs.openstack.org/glance "Image statuses". */
export const busyStatuses: readonly string[] = ["saving", "uploading", "importing"];

/** Whether the server is at work on an image's data, or died over it. An import that has just been asked for shows by its lock alone. */
export function isBusy(image: WireImage): boolean {
  return busyStatuses.includes(image.status) || isLocked(image);
}

/** Waits until the server has finished what it does with an image's data. */
export async function untilSettled(client: GlanceClient, id: string, job: Job): Promise<WireImage> {
  let status = "";
  return waitFor(
    async () => {
      const image = await client.get(id);
      if (image === undefined) throw gone(id);
      status = isLocked(image) && image.status === "queued" ? "queued, with an import at work" : image.status;
      return isBusy(image) ? undefined : image;
    },
    () => `image ${id} to leave the status ${status}`,
    job,
  );
}

/**
 * Waits for an import to end. The status turns `active` when the FIRST store has the data, so the lock (os_glance_import_task)
 * and the list of stores to come have to be gone too; a failure shows in the tasks, sometimes nowhere else.
 * @param tasksBefore ids of the tasks that the image had before this import
 * @throws ImagesError "failed" with the task's own message
 */
export async function untilImported(
  client: GlanceClient,
  id: string,
  tasksBefore: ReadonlySet<string>,
  job: Job,
): Promise<WireImage> {
  let status = "";
  return waitFor(
    async () => {
      const image = await client.get(id);
      if (image === undefined) throw gone(id);
      status = image.status;
      const pending = text(image.os_glance_importing_to_stores);
      const failed = text(image.os_glance_failed_import);
      if (image.status === "active" && pending === "" && !isLocked(image) && failed === "") return image;
      const tasks = (await client.tasks(id)).filter(task => !tasksBefore.has(task.id));
      const bad = tasks.find(task => task.status === "failure");
      if (bad !== undefined || (failed !== "" && !isLocked(image))) throw new ImportFailed(id, failed, bad);
      const latest = tasks.at(-1);
      job.report(`${status}${pending === "" ? "" : ` to ${pending}`}${latest?.message ? `: ${latest.message}` : ""}`);
      return undefined;
    },
    () => `the import into image ${id} (status ${status})`,
    job,
  );
}

/** Whether an import is at work on an image, or died without a word. */
export function isLocked(image: WireImage): boolean {
  return text(image.os_glance_import_task) !== "";
}

/** An import that the server gave up. */
export class ImportFailed extends ImagesError {
  /** What the server's task says of it; it isn't much. */
  readonly reason: string;

  constructor(id: string, stores: string, task: WireTask | undefined) {
    const reason = task?.message ?? "";
    const where = stores === "" ? "" : ` into the store ${stores}`;
    super("failed", `the import${where} of image ${id} failed${reason && `: ${reason}`}`, {
      hint: "The service doesn't say more; check that it can reach the source's url, and ask its operator with the image's id",
    });
    this.reason = reason;
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
