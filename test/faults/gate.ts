import { randomInt } from "node:crypto";
import { type Fault, Faults } from "../../tools/recorder/faults.ts";
import { type RecordedRequest, type Recorder, startRecorder } from "../../tools/recorder/recorder.ts";
import type { Blow } from "./blows.ts";

/** A request that came through, told from others of its kind. */
export interface Seen {
  method: string;
  /** The path without what differs from run to run. */
  shape: string;
  /** How many of the same method and shape came before it. */
  nth: number;
  requestBytes: number;
  responseBytes: number;
  /** Its answer is JSON, as far as can be told. */
  json: boolean;
  /** Where it was sent to, past the gate. */
  target: string;
}

/** How long a connection is refused, in ms. */
const refusedMs = 100;

/** The way of one connection to all addresses that it uses; on it, one request meets a blow. */
export class Gate {
  readonly #recorders = new Map<string, Recorder>();
  readonly #plan = new Plan(() => this.#refuse());
  /** The service whose connections are refused, when it comes to that: what others fetch through the gate meanwhile comes through. */
  #refusing = "";
  #refused = false;

  /** @param targets the services' origins */
  static async open(targets: readonly string[]): Promise<Gate> {
    const gate = new Gate();
    for (const target of targets) {
      const recorder = await startOnOwnPort(target);
      recorder.faults = new Tap(gate.#plan, recorder);
      gate.#recorders.set(target, recorder);
    }
    return gate;
  }

  /** The address by which an address is reached through here. */
  via(address: string): string {
    for (const [target, { url }] of this.#recorders)
      if (address.startsWith(target)) return address.replace(target, url);
    throw new Error(`no gate leads to ${address}`);
  }

  /** Counts requests from now on. */
  begin(): void {
    this.#plan.open = true;
  }

  end(): void {
    this.#plan.open = false;
  }

  /**
   * Has one of the requests from now on meet a blow.
   * @param before the request that comes before the one that is struck
   */
  async strike(blow: Blow, request: Seen, before: Seen | undefined): Promise<void> {
    this.begin();
    this.#refusing = request.target;
    this.#plan.set(blow, request, before);
    if (blow.fault === undefined && before === undefined) await this.#refuse();
  }

  /** Whether the blow was struck. */
  get struck(): boolean {
    return this.#plan.struck || this.#refused;
  }

  /** All requests so far, in their order. */
  get seen(): Seen[] {
    const counts = new Map<string, number>();
    return this.#plan.requests.map(({ request, target }) => {
      const kind = kindOf(request);
      const nth = counts.get(kind) ?? 0;
      counts.set(kind, nth + 1);
      const { method, path, requestBytes, responseBytes } = request;
      return {
        method,
        shape: shapeOf(path),
        nth,
        requestBytes,
        responseBytes,
        // The Image API v1 gives an image's data, where version 2 gives what is known of it.
        json: !(/\.raw$|\/file$/.test(path) || (method === "GET" && /^\/v1\/images\/[0-9a-f-]{36}$/.test(path))),
        target,
      };
    });
  }

  /** What was sent and answered, for a failure's message. */
  get story(): string[] {
    return this.#plan.requests.map(
      ({ request: { method, path, status } }) => `${method} ${path} → ${status ?? "nothing"}`,
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#recorders.values()].map(recorder => recorder.stop()));
  }

  async #refuse(): Promise<void> {
    this.#refused = true;
    await this.#recorders.get(this.#refusing)?.refuse(refusedMs);
  }
}

/** Starts a recorder on a port that no system gives out by itself (those begin at 32768), so that it is still free after a refusal. */
async function startOnOwnPort(target: string): Promise<Recorder> {
  for (;;)
    try {
      return await startRecorder({ target, port: randomInt(20_000, 32_768) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
}

/** Tells the gate's plan which request it is that came. */
class Tap extends Faults {
  readonly #plan: Plan;
  readonly #recorder: Recorder;

  constructor(plan: Plan, recorder: Recorder) {
    super();
    this.#plan = plan;
    this.#recorder = recorder;
  }

  override take(): Fault | undefined {
    return this.#plan.meet(this.#recorder.requests.at(-1) as RecordedRequest, this.#recorder.target as string);
  }
}

/** The one fault of a gate. */
class Plan {
  readonly #refuse: () => Promise<void>;
  readonly #counts = new Map<string, number>();
  #blow: Blow | undefined;
  #at: { kind: string; nth: number } | undefined;
  /** All that came, in the order of arrival. */
  readonly requests: { request: RecordedRequest; target: string }[] = [];
  struck = false;
  open = false;

  constructor(refuse: () => Promise<void>) {
    this.#refuse = refuse;
  }

  set(blow: Blow, request: Seen, before: Seen | undefined): void {
    const struck = blow.fault === undefined ? before : request;
    this.#blow = blow;
    this.#at = struck && { kind: `${struck.method} ${struck.shape}`, nth: struck.nth };
  }

  meet(request: RecordedRequest, target: string): Fault | undefined {
    if (!this.open) return undefined;
    this.requests.push({ request, target });
    const kind = kindOf(request);
    const nth = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, nth + 1);
    if (this.#blow === undefined || this.#at?.kind !== kind) return undefined;
    if (this.#blow.lasting ? nth < this.#at.nth : nth !== this.#at.nth) return undefined;
    // The one before is answered, its connection closed, and the next one doesn't come about.
    if (this.#blow.fault === undefined) return { after: true, hook: this.#refuse, alter: answer => answer };
    this.struck = true;
    return this.#blow.fault();
  }
}

function kindOf({ method, path }: Pick<RecordedRequest, "method" | "path">): string {
  return `${method} ${shapeOf(path)}`;
}

/** A path without its query, ids, and the names of points. */
function shapeOf(path: string): string {
  return decodeURIComponent(path.replace(/\?.*/s, ""))
    .replace(/pulumi-images:[0-9a-f:]+(unfinished:[0-9a-f]+)?/g, "MARK")
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}/g, "ID")
    .replace(/\bp\d+q\b/g, "NAME")
    .replace(/\d{4,}/g, "N")
    .replace(/resource\/[^/]+/g, "resource/ID");
}
