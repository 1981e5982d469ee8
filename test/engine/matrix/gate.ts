import { Faults } from "../../../tools/recorder/faults.ts";
import { type RecordedRequest, type Recorder, startRecorder } from "../../../tools/recorder/recorder.ts";

/** Where a request is stopped: on its way to the service, or its answer on the way back. */
export type Side = "before" | "after";

/**
 * What one resource asks of its services: proxies of its own stand before them, that count its requests as one sequence, and can hold one of
 * them, or break it.
 */
export class Gate {
  /** Struck by the requests of all its proxies together. */
  readonly faults = new Faults();
  readonly #recorders = new Map<string, Recorder>();
  #held: RecordedRequest | undefined;
  #release: (() => void) | undefined;

  /** The address that leads to a service through this gate. @param target the service's own, with whatever path it has */
  async through(target: string): Promise<string> {
    const { origin, pathname } = new URL(target);
    let recorder = this.#recorders.get(origin);
    if (recorder === undefined) {
      recorder = await startRecorder({ target: origin });
      recorder.faults = this.faults;
      this.#recorders.set(origin, recorder);
    }
    return `${recorder.url}${pathname.replace(/\/$/, "")}`;
  }

  /** The requests since the last `clear`, in the order of their arrival. */
  get requests(): RecordedRequest[] {
    return [...this.#recorders.values()]
      .flatMap(({ requests }) => requests)
      .sort((one, other) => one.started - other.started);
  }

  /** Holds the request that comes after `skip` others (that match `path`), until `release`. */
  hold({ skip, side, path }: { skip: number; side: Side; path?: RegExp }): void {
    const released = new Promise<void>(resolve => {
      this.#release = resolve;
    });
    this.faults.add({
      skip,
      after: side === "after",
      ...(path === undefined ? {} : { path }),
      hook: async request => {
        this.#held = request;
        await released;
      },
    });
  }

  /** The request that is being held, or was held last. */
  get held(): RecordedRequest | undefined {
    return this.#held;
  }

  /** Lets go of what is held, and holds nothing any more. */
  release(): void {
    this.faults.clear();
    this.#release?.();
  }

  clear(): void {
    this.release();
    this.#held = undefined;
    for (const recorder of this.#recorders.values()) recorder.clear();
  }

  async stop(): Promise<void> {
    this.release();
    await Promise.all([...this.#recorders.values()].map(recorder => recorder.stop()));
  }
}
