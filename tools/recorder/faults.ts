import type { RecordedRequest } from "./recorder.ts";

/**
 * One way to break requests on their way through a recorder. What is left out matches every request.
 *
 * A fault strikes `before` the request is passed on (then the service never hears of a request that is answered or
 * dropped here), or `after` the service has done its work and answered (then the client doesn't get that answer).
 */
export interface Fault {
  /** Upper case, e.g. "PUT". */
  method?: string;
  /** Tried on the path with its query. */
  path?: RegExp;
  /** How many matching requests go through unharmed first. Default: 0. */
  skip?: number;
  /** How many matching requests it strikes; Infinity for all. Default: 1. */
  times?: number;
  /** The default. */
  before?: boolean;
  /** Strikes once the service's whole answer is there. */
  after?: boolean;
  /** Answers with this status instead. */
  status?: number;
  /** Headers of that answer. */
  headers?: Record<string, string>;
  /** Body of that answer. */
  body?: string | Uint8Array;
  /** Called, and waited for, when the fault strikes: to change something just then. */
  hook?: (request: RecordedRequest) => Promise<void> | void;
  /** Milliseconds to wait when the fault strikes. */
  delayMs?: number;
  /**
   * Cuts the client's connection: "before" the request is passed on; "during-body", after the first piece of the
   * request's body was (of the answer's, when the request has none); or "after" the service has answered.
   */
  drop?: "before" | "during-body" | "after";
  /** Gives the client another answer than the service's, once that is there. Its lengths and its body needn't agree. */
  alter?: (answer: Answer) => Answer;
  /** Passes nothing on for so many milliseconds after the first piece of the body; which one, as with `drop`. */
  stallMs?: number;
}

/** An answer as it goes out. */
export interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

/** The faults that wait for requests; the first that matches strikes. */
export class Faults {
  #waiting: { fault: Fault; skip: number; left: number }[] = [];

  add(fault: Fault): void {
    this.#waiting.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** The fault that strikes a request, used up by one. */
  take(method: string, path: string): Fault | undefined {
    const found = this.#waiting.find(
      ({ fault }) =>
        (fault.method === undefined || fault.method === method) && (fault.path === undefined || fault.path.test(path)),
    );
    if (found === undefined) return undefined;
    if (found.skip > 0) {
      found.skip--;
      return undefined;
    }
    found.left--;
    if (found.left <= 0) this.#waiting = this.#waiting.filter(other => other !== found);
    return found.fault;
  }
}

/** Whether a fault's hook, delay and answer come after the service's own work. */
export function strikesAfter(fault: Fault): boolean {
  return fault.after === true || fault.drop === "after" || fault.alter !== undefined;
}
