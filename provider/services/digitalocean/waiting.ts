import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import { gone } from "../lost.ts";
import type { Job } from "../service.ts";
import type { WireAction, WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";

/** Images that are waited for together share what is read of them, for so many ms. */
const pollAgeMs = 1000;

/** Statuses of an image that is still being imported. */
export const importing: readonly string[] = ["NEW", "pending"];

/**
 * Waits until a custom image has been imported. DigitalOcean says of an import that failed in `error_message`, and calls the image `deleted`.
 * @throws ImportFailure as soon as it says so
 */
export async function untilAvailable(cloud: DigitalOceanCloud, id: string, job: Job): Promise<WireImage> {
  let status = "";
  return waitFor(
    async () => {
      const image = await cloud.reads.read(id, pollAgeMs);
      if (image === undefined) throw gone(id);
      status = image.status;
      if (status === "available") return image;
      if (image.error_message || !importing.includes(status)) throw new ImportFailure(image);
      job.report(`importing: ${status === "NEW" ? "waiting to begin" : status}`);
      return undefined;
    },
    () => `image ${id} to become available (its status is ${status})`,
    job,
  );
}

/** DigitalOcean couldn't import an image: it will never become one. */
export class ImportFailure extends ImagesError {
  constructor(image: WireImage) {
    const why = image.error_message ? `: ${image.error_message}` : ` (status ${image.status}), without a reason`;
    super("failed", `DigitalOcean couldn't import image ${String(image.id)}${why}`, {
      hint: "The url must be reachable from the internet, and lead to a raw, qcow2, vhdx, vdi or vmdk image of less than 100 GB, as it is or in gzip or bzip2",
    });
  }
}

/**
 * Waits until an action has ended.
 * @param read asks for it again
 * @param what it does, for messages: "the transfer to ams3"
 * @returns false when it ended as `errored`; DigitalOcean doesn't say why
 */
export async function untilEnded(
  action: WireAction,
  read: (id: string) => Promise<WireAction>,
  what: string,
  job: Job,
): Promise<boolean> {
  const id = String(action.id);
  let latest: WireAction | undefined = action;
  return waitFor(
    async () => {
      latest ??= await read(id);
      const { status } = latest;
      latest = undefined;
      return status === "in-progress" ? undefined : status === "completed";
    },
    () => `${what} (action ${id})`,
    job,
  );
}
