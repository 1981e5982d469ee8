/**
 * One way for a service to misbehave. Everything that is left out matches any request; a request meets the first fault that matches it.
 * What is done: wait `delay`, then answer with `status`, or `stall`, or `drop`; with none of these three the request goes on as usual.
 */
export interface Fault {
  /** Upper-case method, such as "PUT". */
  method?: string;
  /** Is tried on the path with its query. */
  path?: RegExp;
  /** How many matching requests go through unharmed first. Default 0. */
  skip?: number;
  /** Of the matching requests after those, just each n-th meets it. Default 1: each. */
  every?: number;
  /** How many requests meet this fault. Default 1; Infinity for all. */
  count?: number;
  /** Milliseconds to wait before anything else. */
  delay?: number;
  /** Answer with this status instead of doing the work. */
  status?: number;
  /** Headers of that answer. */
  headers?: Record<string, string>;
  /** Body of that answer. */
  body?: string;
  /** That answer repeats what it was asked, headers and all, as text, in JSON, in base64, and as the id of the request. */
  echo?: boolean;
  /** Never answer: the connection stays open until the client, or the cloud, ends it. */
  stall?: boolean;
  /**
   * Cut the connection: `before` any work; in the middle of the `request`'s body or the `response`'s (after `afterBytes` of it);
   * or `after` the work was done, in place of the answer.
   */
  drop?: "before" | "request" | "response" | "after";
  /** See `drop`. Default 0. */
  afterBytes?: number;
}

/** A fault as the control route takes it: `path` is the source of the expression, and -1 as `count` means all. */
export type FaultJson = Omit<Fault, "path"> & { path?: string };

/** The faults that are waiting for a request. */
export class Faults {
  #waiting: { fault: Fault; skip: number; seen: number; count: number }[] = [];

  /** Adds a fault; earlier ones are tried first. */
  add(fault: Fault): void {
    this.#waiting.push({ fault, skip: fault.skip ?? 0, seen: 0, count: fault.count ?? 1 });
  }

  /** Adds a fault that came as JSON. @throws SyntaxError when its path is no regular expression */
  addJson(fault: FaultJson): void {
    const { path, count, ...rest } = fault;
    this.add({
      ...rest,
      ...(path === undefined ? {} : { path: new RegExp(path) }),
      ...(count === undefined ? {} : { count: count < 0 ? Number.POSITIVE_INFINITY : count }),
    });
  }

  /** Forgets all faults. */
  clear(): void {
    this.#waiting = [];
  }

  /** How many requests are still to meet a fault. */
  get left(): number {
    return this.#waiting.reduce((sum, { count }) => sum + count, 0);
  }

  /** The fault that a request meets, which is used up by it. */
  take(method: string, path: string): Fault | undefined {
    for (const [index, entry] of this.#waiting.entries()) {
      const { fault } = entry;
      if (fault.method !== undefined && fault.method !== method) continue;
      if (fault.path && path.search(fault.path) < 0) continue;
      if (entry.skip > 0) {
        entry.skip--;
        continue;
      }
      if (++entry.seen % (fault.every ?? 1) !== 0) continue;
      if (--entry.count <= 0) this.#waiting.splice(index, 1);
      return fault;
    }
    return undefined;
  }
}
