import type { Job } from "../service.ts";
import type { WireImage } from "./attributes.ts";
import type { GlanceClient } from "./client.ts";
import { busyStatuses, untilSettled } from "./waiting.ts";

/** Statuses that an image never leaves for a busy one: its data is in, and can't be sent again. */
const done: readonly string[] = ["active", "deactivated"];

/**
 * Whether an image's data is at rest. A change that meets the end of an upload doesn't only get lost: Glance writes the whole image as it
 * was read before, its status too, so that the image is `saving` for ever. Nothing may be written before the data is in.
 */
export class Rest {
  readonly #client: GlanceClient;
  readonly #known = new Set<string>();

  constructor(client: GlanceClient) {
    this.#client = client;
  }

  /** Remembers what an answer says, so that nothing needs to be asked about an image whose data is known to be in. */
  note(image: { id: string; status: string }): void {
    if (done.includes(image.status)) this.#known.add(image.id);
  }

  /** Returns when the image may be written to: at once if its data is known to be in. undefined: there is no such image. */
  async until(id: string, job: Job): Promise<Pick<WireImage, "id"> | undefined> {
    if (this.#known.has(id)) return { id };
    let image = await this.#client.get(id);
    if (image === undefined) return undefined;
    if (busyStatuses.includes(image.status)) {
      job.report(`waiting for the image's data (${image.status})`);
      image = await untilSettled(this.#client, id, job);
    }
    this.note(image);
    return image;
  }
}
