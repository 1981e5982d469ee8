import { connect, createServer, type Server, type Socket } from "node:net";
import { type EngineEnd, startEngineEnd } from "../../support/engine.ts";
import { type Made, ProviderProcess, type Values } from "../providerProcess.ts";
import type { Declared } from "../stack.ts";
import type { MatrixBench } from "./bench.ts";
import type { Slot } from "./subjects.ts";

/** What the state has of a resource. */
export interface Entry extends Made {
  inputs: Values;
  /** Its create or update failed half way. */
  unfinished: boolean;
}

const providers = { Image: "image", ImageMember: "imageMember", ImageTag: "imageTag", ImageCopy: "imageCopy" } as const;

/**
 * What an engine does with one real provider process, over the same protocol, and nothing else: no program, no plan, no files. It makes many
 * kills affordable; that a real engine does the same is seen by the kills of real runs.
 */
export class SmallEngine {
  readonly #bench: MatrixBench;
  /** By the resource's name. */
  readonly state = new Map<string, Entry>();
  /** What was replaced, and is to be deleted still. */
  readonly replaced: { slot: Slot; id: string; outputs: Values }[] = [];

  constructor(bench: MatrixBench) {
    this.#bench = bench;
  }

  async open(): Promise<SmallRun> {
    const sockets = new Set<Socket>();
    const end = await startEngineEnd();
    // What breaks here is the engine's end to the provider.
    const server = createServer(socket => {
      const behind = connect(Number(end.address.split(":").at(-1)), "127.0.0.1");
      for (const one of [socket, behind]) sockets.add(one.on("error", () => {}));
      socket.pipe(behind).pipe(socket);
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const config = { "images:connections": JSON.stringify(this.#bench.connections) };
    const process = await ProviderProcess.start(this.#bench.stack.folder, {}, config, "kept", `127.0.0.1:${port}`);
    return new SmallRun(this, this.#bench, process, server, sockets, end);
  }
}

export type Part = "make" | "remove";
type OnWork = (slot: Slot, part: Part) => void;

/** One run of it. */
export class SmallRun {
  readonly process: ProviderProcess;
  readonly #engine: SmallEngine;
  readonly #bench: MatrixBench;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #end: EngineEnd;
  #gone = false;

  constructor(
    engine: SmallEngine,
    bench: MatrixBench,
    process: ProviderProcess,
    server: Server,
    sockets: Set<Socket>,
    end: EngineEnd,
  ) {
    this.#engine = engine;
    this.#bench = bench;
    this.process = process;
    this.#server = server;
    this.#sockets = sockets;
    this.#end = end;
  }

  /** What the provider has warned of. */
  get warnings(): string[] {
    return this.#end.warnings.map(([, text]) => text);
  }

  /** The engine is gone: what comes back is noted nowhere. */
  kill(): void {
    this.#gone = true;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#end.stop();
  }

  async close(): Promise<void> {
    this.kill();
    await this.process.stop();
  }

  /**
   * Makes all resources what is declared; what was replaced is deleted last.
   * @param begins told of each resource before something is done to it: it is made, or deleted
   * @param ends and after
   * @returns what failed, by the resource's name
   */
  async up(begins: OnWork = () => {}, ends: OnWork = () => {}): Promise<Map<string, Error>> {
    const failed = new Map<string, Error>();
    const declared = new Map(this.#bench.declared().map(resource => [resource.name, resource]));
    const each = async (slot: Slot, part: Part, work: () => Promise<void>) => {
      await work().catch((error: Error) => void failed.set(slot.name, error));
      ends(slot, part);
    };
    await Promise.all(
      this.#bench.slots.map(slot => {
        const resource = declared.get(slot.name);
        return resource && each(slot, "make", () => this.#make(slot, resource, () => begins(slot, "make")));
      }),
    );
    if (failed.size > 0) return failed;
    await Promise.all([
      ...this.#engine.replaced.slice().map(old =>
        each(old.slot, "remove", async () => {
          begins(old.slot, "remove");
          await this.process.delete(old.id, old.outputs);
          this.#note(() => this.#engine.replaced.splice(this.#engine.replaced.indexOf(old), 1));
        }),
      ),
      ...this.#bench.slots.map(slot => {
        const entry = this.#engine.state.get(slot.name);
        if (entry === undefined || declared.has(slot.name)) return undefined;
        return each(slot, "remove", async () => {
          begins(slot, "remove");
          await this.process.delete(entry.id, entry.outputs);
          this.#note(() => this.#engine.state.delete(slot.name));
        });
      }),
    ]);
    return failed;
  }

  /** Reads all resources, as a refresh does. @returns the names of those that aren't as the state says */
  async drifted(): Promise<string[]> {
    const drifted = await Promise.all(
      [...this.#engine.state].map(async ([name, { id, inputs, outputs }]) => {
        const now = await this.process.read(id, outputs);
        if (now.id === id && !(await this.process.diff(id, now.outputs, inputs)).changes) return [];
        return [`${name}: ${JSON.stringify(inputs)} => ${now.id} ${JSON.stringify(now.inputs)}`];
      }),
    );
    return drifted.flat();
  }

  async #make(slot: Slot, { kind, args, name }: Declared, begins: () => void): Promise<void> {
    // Another one in each of its lives: one that is made again and again on one day tries each id that it had, and asks a little more each time.
    const resource = `urn:pulumi:dev::matrix::pulumi-nodejs:dynamic/images:${kind}::${name} ${slot.cycle}`;
    const news = { ...args, resource };
    const entry = this.#engine.state.get(name);
    const inputs = await this.#checked(kind, news, entry?.inputs);
    if (entry === undefined) {
      begins();
      return await this.#create(name, inputs);
    }
    const { changes, replaces, deleteBeforeReplace } = await this.process.diff(entry.id, entry.outputs, inputs);
    if (replaces.length > 0) {
      const anew = await this.#checked(kind, news);
      begins();
      if (deleteBeforeReplace) {
        await this.process.delete(entry.id, entry.outputs);
        this.#note(() => this.#engine.state.delete(name));
        return await this.#create(name, anew);
      }
      await this.#create(name, anew, () => this.#engine.replaced.push({ slot, id: entry.id, outputs: entry.outputs }));
    } else if (changes || entry.unfinished) {
      begins();
      const note = (outputs: Values, unfinished: boolean) =>
        this.#note(() => this.#engine.state.set(name, { id: entry.id, inputs, outputs, unfinished }));
      await this.process.update(entry.id, entry.outputs, inputs).then(
        outputs => note(outputs, false),
        error => {
          const made = ProviderProcess.madeBy(error);
          if (made !== undefined) note(made.outputs, true);
          throw error;
        },
      );
    } else this.#note(() => this.#engine.state.set(name, { ...entry, inputs }));
  }

  async #create(name: string, inputs: Values, made = () => {}): Promise<void> {
    const note = (entry: Made, unfinished: boolean) =>
      this.#note(() => {
        made();
        this.#engine.state.set(name, { ...entry, inputs, unfinished });
      });
    await this.process.create(inputs).then(
      entry => note(entry, false),
      error => {
        const half = ProviderProcess.madeBy(error);
        if (half !== undefined) note(half, true);
        throw error;
      },
    );
  }

  async #checked(kind: Declared["kind"], news: Values, olds?: Values): Promise<Values> {
    const { resource, ...declared } = news;
    const named = { resource: String(resource), ...(olds === undefined ? {} : { olds }) };
    const { inputs, failures } = await this.process.checkInputs(providers[kind], declared, named);
    if (failures.length > 0) throw new Error(JSON.stringify(failures));
    return inputs;
  }

  #note(change: () => unknown): void {
    if (!this.#gone) change();
  }
}
