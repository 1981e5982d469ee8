import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import PQueue from "p-queue";
import { ProviderProcess } from "../engine/providerProcess.ts";
import { type Blow, blows, stallSeconds } from "./blows.ts";
import { refresh, remove, resourceMarkOf, type State, StepFailed, up } from "./engine.ts";
import { Gate, type Seen } from "./gate.ts";
import type { Place, Scenario, Subject, Values } from "./place.ts";

export const verbs = ["create", "update", "read", "delete"] as const;
export type Verb = (typeof verbs)[number];

/** One request of one verb, and what happens to it. */
export interface Point {
  place: Place;
  scenario: number;
  verb: Verb;
  request: Seen;
  before: Seen | undefined;
  blow: Blow;
}

/** What came of a point. */
export interface Outcome {
  title: string;
  /** The verb got over it by itself, or ended with an error and was repeated; or was ready before it asked so often. */
  how: "held" | "repeated" | "not met";
  /** The error's message. */
  error?: string;
  /** What is wrong; undefined: nothing. */
  wrong?: string;
  story: string[];
}

/** What a verb does and leaves when nothing goes wrong. */
interface Usual {
  requests: Seen[];
  then: unknown;
  /** What is left when the resource is deleted. */
  end: unknown;
}

/**
 * Runs single verbs of the real provider process against services behind gates, and holds what they leave against what they leave when
 * nothing goes wrong.
 */
export class Matrix {
  /** For what comes before and after the blow. */
  readonly #patient: ProviderProcess;
  /** For the verb that is struck: it gives up on what stalls after a short time. On a busy machine that may be more than the blow. */
  readonly #hasty: ProviderProcess;
  readonly #connections = new Map<string, Record<string, Values>>();
  readonly #usual = new Map<string, Usual>();
  #points = 0;

  private constructor(patient: ProviderProcess, hasty: ProviderProcess) {
    this.#patient = patient;
    this.#hasty = hasty;
  }

  /** @param folder a Pulumi project, where disk.raw will lie */
  static async start(folder: string, disk: Uint8Array): Promise<Matrix> {
    await writeFile(join(folder, "disk.raw"), disk);
    const env = { PULUMI_IMAGES_RETRY_PAUSE_MS: "20" };
    const short = { ...env, PULUMI_IMAGES_STALL_SECONDS: String(stallSeconds) };
    return new Matrix(
      await ProviderProcess.start(folder, env, {}, "kept"),
      await ProviderProcess.start(folder, short, {}, "kept"),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([this.#patient.stop(), this.#hasty.stop()]);
  }

  /** What the provider processes wrote by themselves. */
  get said(): string {
    return this.#patient.said + this.#hasty.said;
  }

  /** All points of a place, by what its verbs ask when nothing goes wrong. */
  async points(place: Place): Promise<Point[]> {
    const scenarios = place.scenarios(address => address);
    const queue = new PQueue({ concurrency: place.atOnce });
    const all = scenarios.flatMap(({ changed }, scenario) =>
      verbs
        .filter(verb => verb !== "update" || changed !== undefined)
        .map(verb =>
          queue.add(async () => {
            const { usual } = await this.#run(place, scenario, verb);
            this.#usual.set(keyOf(place, scenario, verb), usual as Usual);
            return pointsOf(place, scenario, verb, (usual as Usual).requests);
          }),
        ),
    );
    return (await Promise.all(all)).flat();
  }

  /** @param tell gets each outcome as it comes */
  async run(points: readonly Point[], tell: (outcome: Outcome) => void = () => {}): Promise<Outcome[]> {
    const queue = new PQueue({ concurrency: points[0]?.place.atOnce ?? 1 });
    return await Promise.all(
      points.map(point =>
        queue.add(async () => {
          const outcome = await this.#outcome(point);
          tell(outcome);
          return outcome;
        }),
      ),
    );
  }

  /** Service, resource, verb, request, fault. */
  titleOf({ place, scenario, verb, request, blow }: Point): string {
    const { title } = place.scenarios(address => address)[scenario] as Scenario;
    const where = `${request.method} ${request.shape}${request.nth > 0 ? ` (${request.nth + 1})` : ""}`;
    return `${place.title} ${title}: ${verb}: ${where}: ${blow.title}`;
  }

  async #outcome(point: Point): Promise<Outcome> {
    const { place, scenario, verb, request } = point;
    const outcome: Outcome = {
      title: this.titleOf(point),
      how: "held",
      story: [],
    };
    try {
      const { error, story, usual } = await this.#run(place, scenario, verb, point);
      outcome.story = story;
      if (error !== undefined) Object.assign(outcome, { how: "repeated", error });
      const expected = this.#usual.get(keyOf(place, scenario, verb)) as Usual;
      assert.deepEqual(usual?.then, expected.then);
      assert.deepEqual(usual?.end, expected.end, "what is left at the end");
      if (error !== undefined) assert.match(error, clear, "the error isn't clear");
      if (error !== undefined) assert.doesNotMatch(error, unclear, "the error isn't clear");
    } catch (error) {
      if (error instanceof NotStruck && ["GET", "HEAD"].includes(request.method)) return { ...outcome, how: "not met" };
      outcome.wrong = error instanceof NotStruck ? error.message : String((error as Error).stack ?? error);
      if (error instanceof Broken) outcome.story = error.story;
    }
    return outcome;
  }

  /** One resource's life, of which one verb goes through a gate. */
  async #run(
    place: Place,
    index: number,
    verb: Verb,
    point?: Point,
  ): Promise<{ usual: Usual; error: string | undefined; story: string[] }> {
    const name = `p${++this.#points}q`;
    const gate = await Gate.open(place.targets);
    try {
      const scenario = place.scenarios(address => gate.via(address))[index] as Scenario;
      const { kind } = scenario;
      const keys = { clean: `~${name}c`, struck: `~${name}s` };
      await this.#connect(name, {
        ...(await place.connections(address => address, keys.clean)),
        ...(await place.connections(address => gate.via(address), keys.struck)),
      });
      const made = (await scenario.prepare?.(name)) ?? {};
      const mark = resourceMarkOf(kind, name);
      const subject = (key: string): Subject => ({ name, made, mark, on: account => `${account}${key}` });
      const world = async () => normal(await scenario.world(subject(keys.clean)), name);
      const args = (key: string) => scenario.args(subject(key));
      const changed = (key: string) => (scenario.changed ?? scenario.args)(subject(key));

      let error: string | undefined;
      /** The verb as it is met by the blow, and once more if it fails. */
      const struck = async (
        state: State | undefined,
        work: (provider: ProviderProcess, key: string, state: State | undefined) => Promise<State | undefined>,
      ): Promise<State | undefined> => {
        if (point !== undefined) await gate.strike(point.blow, point.request, point.before);
        else gate.begin();
        const first = moved(state, keys.clean, keys.struck);
        try {
          return moved(await work(this.#hasty, keys.struck, first), keys.struck, keys.clean);
        } catch (failure) {
          if (!(failure instanceof StepFailed) || point === undefined) throw failure;
          error = failure.message;
          gate.end();
          if (scenario.byHand?.after.test(error)) await scenario.byHand.work(subject(keys.clean));
          return await work(this.#patient, keys.clean, moved(failure.state, keys.struck, keys.clean));
        } finally {
          gate.end();
        }
      };

      try {
        let state: State | undefined;
        let then: unknown;
        const create = (provider: ProviderProcess, key: string, known?: State) =>
          up(provider, kind, name, args(key), known);
        if (verb === "create") state = await struck(undefined, create);
        else state = await create(this.#patient, keys.clean);
        const { seen } = gate;
        let requests = seen;
        if (verb === "update") {
          state = await struck(state, (provider, key, known) => up(provider, kind, name, changed(key), known));
          requests = gate.seen;
        }
        if (verb === "read") {
          state = await struck(state, async (provider, _, known) => await refresh(provider, known as State));
          requests = gate.seen;
          then = normal(
            { outs: { ...state?.outs, __provider: "" }, inputs: { ...state?.inputs, __provider: "" } },
            name,
          );
        } else if (verb !== "delete") then = await world();
        if (verb === "delete") {
          await struck(state, async (provider, _, known) => {
            await remove(provider, known as State);
            return undefined;
          });
          requests = gate.seen;
        } else await remove(this.#patient, state as State);
        const end = await world();
        if (point !== undefined && !gate.struck) throw new NotStruck();
        return { usual: { requests, then, end }, error, story: gate.story };
      } finally {
        await scenario.clean?.(subject(keys.clean));
      }
    } catch (failure) {
      throw failure instanceof NotStruck ? failure : new Broken(failure, gate.story);
    } finally {
      this.#connections.delete(name);
      await gate.close();
    }
  }

  /** Connections of this point and of all others that are under way. */
  async #connect(name: string, connections: Record<string, Values>): Promise<void> {
    this.#connections.set(name, connections);
    const all = Object.assign({}, ...this.#connections.values());
    const config = { "images:connections": JSON.stringify(all) };
    await Promise.all([this.#patient.configure(config), this.#hasty.configure(config)]);
  }
}

/** The request that was to be struck didn't come. */
class NotStruck extends Error {
  constructor() {
    super("the request didn't come");
  }
}

class Broken extends Error {
  readonly story: string[];

  constructor(cause: unknown, story: string[]) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.stack = cause instanceof Error ? (cause.stack ?? "") : "";
    this.story = story;
  }
}

/** What an error has to say: which request, or what was waited for, or what to do. */
const clear =
  /\[[-\w]+: [A-Z]+ (?:\/|https?:)\S*|No usable answer|Keystone|can't be reached|broke off|couldn't|the import (?:.* )?of image \S+ failed/;
const unclear = /undefined|\[object|TypeError|RangeError|\bat .*\.js:\d/;

function keyOf(place: Place, scenario: number, verb: Verb): string {
  return `${place.title}/${scenario}/${verb}`;
}

/** Of a request that comes again and again, the first three. */
const mostOfAKind = 2;

function pointsOf(place: Place, scenario: number, verb: Verb, requests: readonly Seen[]): Point[] {
  return requests.flatMap((request, index) =>
    request.nth > mostOfAKind
      ? []
      : blows
          .filter(({ suits }) => suits?.(request) ?? true)
          .map(blow => ({ place, scenario, verb, request, before: requests[index - 1], blow })),
  );
}

/** A state as it is under other connections of the same accounts. */
function moved(state: State | undefined, from: string, to: string): State | undefined {
  return state && (JSON.parse(JSON.stringify(state).replaceAll(`${from}"`, `${to}"`)) as State);
}

/** Without what differs from run to run: ids, times, the point's name. */
function normal(value: unknown, name: string): unknown {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value)
    .replaceAll(name, "NAME")
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{32}\b/g, "ID")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z?/g, "TIME")
    .replace(/127\.0\.0\.1:\d+/g, "HOST")
    .replace(/\b(?:ami|i|image)-[0-9a-f]{6,}|(?<=privateimage:)[^"]*/g, "ID")
    .replace(/\b\d{7,}\b/g, "N");
  return JSON.parse(text);
}
