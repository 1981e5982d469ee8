/**
 * One writer at a time: Glance saves a whole image from what it read before, so that parallel changes to one image answer 200
 * and lose each other (there is no ETag to prevent it). All writes of this process to one image go through one queue, by whichever connection:
 * two of them can lead to the same project.
 */
export class WriteQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when every earlier write to that image has ended, well or badly. */
  run<T>(imageId: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(imageId) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    this.#last.set(imageId, settled);
    void settled.then(() => {
      if (this.#last.get(imageId) === settled) this.#last.delete(imageId);
    });
    return mine;
  }
}

/** Of all connections of this process. */
export const writeQueue = new WriteQueue();
