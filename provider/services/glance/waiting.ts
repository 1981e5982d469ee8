import { ImagesError } from "../../errors.ts";
import { leftoverPatienceMs } from "../../http/patience.ts";
import { waitFor } from "../../wait.ts";
import type { Job } from "../service.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceClient, WireTask } from "./client.ts";

/** Statuses in which the server is still at work on an image's data. Source: docs.openstack.org/glance "Image statuses". */
export const busyStatuses: readonly string[] = ["saving", "uploading", "importing"];

/** Waits until the server has finished what it does with an image's data. */
export async function untilSettled(client: GlanceClient, id: string, job: Job): Promise<WireImage> {
  let status = "";
  return waitFor(
    async () => {
      const image = await client.get(id);
      if (image === undefined) throw gone(id);
      status = image.status;
      return busyStatuses.includes(status) ? undefined : image;
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
      const locked = text(image.os_glance_import_task) !== "";
      if (image.status === "active" && pending === "" && !locked && failed === "") return image;
      const tasks = (await client.tasks(id)).filter(task => !tasksBefore.has(task.id));
      const bad = tasks.find(task => task.status === "failure");
      if (bad !== undefined || (failed !== "" && !locked)) throw new ImportFailed(id, failed, bad);
      const latest = tasks.at(-1);
      job.report(`${status}${pending === "" ? "" : ` to ${pending}`}${latest?.message ? `: ${latest.message}` : ""}`);
      return undefined;
    },
    () => `the import into image ${id} (status ${status})`,
    job,
  );
}

/** The image when no import is at work on it any more; undefined when that doesn't end, or the image is gone. */
export async function untilUnlocked(client: GlanceClient, id: string, job: Job): Promise<WireImage | undefined> {
  let image: WireImage | undefined;
  const deadline = Math.min(job.deadline, Date.now() + leftoverPatienceMs());
  return await waitFor(
    async () => {
      image = await client.get(id);
      if (image === undefined) throw gone(id);
      const atWork = text(image.os_glance_import_task) !== "" || text(image.os_glance_importing_to_stores) !== "";
      return atWork ? undefined : image;
    },
    () => `an earlier import into image ${id} to end`,
    { ...job, deadline },
  ).catch((error: unknown) => {
    if (error instanceof ImagesError && (error.code === "timeout" || error.code === "not-found")) return undefined;
    throw error;
  });
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

export function gone(id: string): ImagesError {
  return new ImagesError("not-found", `image ${id} was deleted while it was being worked on`, {
    hint: "Run the command again; with --refresh, so that what happened meanwhile is seen",
  });
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
