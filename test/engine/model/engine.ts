import type { Values } from "../providerProcess.ts";
import { type Kind, PartlyMade, type Provider, type StartProvider, type Warning } from "./provider.ts";

/** What the engine gives for a value that will be known once something is made. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What a state has of a resource. */
export interface Entry {
  /** Says which it is, whatever its urn becomes. */
  uid: number;
  urn: string;
  kind: Kind;
  id: string;
  inputs: Values;
  outputs: Values;
  /** Its create or update failed half way. */
  unfinished: boolean;
  protect: boolean;
  retainOnDelete: boolean;
  /** Urns of the resources whose outputs it uses. */
  dependencies: string[];
}

/** A stack's state, which outlives every run. */
export class State {
  readonly entries = new Map<string, Entry>();
  /** What was replaced, and is to be deleted still. */
  replaced: Entry[] = [];

  all(): Entry[] {
    return [...this.entries.values(), ...this.replaced];
  }
}

/** A resource as a program registers it. */
export interface Registered {
  kind: Kind;
  urn: string;
  aliases: string[];
  /** @param idOf the id of another resource of the program */
  args(idOf: (urn: string) => string): Values;
  dependencies: string[];
  protect: boolean;
  retainOnDelete: boolean;
  deleteBeforeReplace: boolean;
}

/** What came of a run. */
export interface Run {
  /** By urn. */
  failed: Map<string, string>;
  /** What was asked of the provider, whatever came of it. */
  begun: { what: "create" | "update" | "delete"; urn: string; kind: Kind; inputs: Values; entry?: Entry }[];
  created: { entry: Entry; inputs: Values }[];
  updated: Entry[];
  deleted: Entry[];
  /** What left the state without being deleted: retained ones. */
  retained: Entry[];
  /** What a refresh found gone. */
  dropped: Entry[];
  /** What a preview says that an update would do; empty when nothing. */
  plan: string[];
  warnings: Warning[];
  /** It was killed or cancelled before it was done. */
  cut: boolean;
}

let uids = 0;

/** Something that befalls a run: called with its provider before it begins. */
export type Trouble = (provider: Provider, engine: { kill(): void; cancel(): void }) => void;

/**
 * Does with a real provider what Pulumi's engine does, in its order: creates before deletes, unless deleteBeforeReplace is said; a diff against
 * the state's outputs, a check against its inputs, and for a replacement a second one against nothing. It has no files, no lock and no program
 * of its own, which makes a life of many runs affordable.
 */
export class Engine {
  readonly #start: StartProvider;

  constructor(start: StartProvider) {
    this.#start = start;
  }

  async preview(
    state: State,
    program: Registered[],
    connections: Record<string, unknown>,
    refresh = false,
  ): Promise<Run> {
    return await this.#run(connections, undefined, async session => {
      const copy = copyOf(state);
      if (refresh) await session.refresh(copy);
      await session.plan(copy, program);
    });
  }

  async up(
    state: State,
    program: Registered[],
    connections: Record<string, unknown>,
    { refresh = false, trouble }: { refresh?: boolean; trouble?: Trouble | undefined } = {},
  ): Promise<Run> {
    return await this.#run(connections, trouble, async session => {
      if (refresh) await session.refresh(state);
      if (session.run.failed.size === 0) await session.apply(state, program);
    });
  }

  async refresh(state: State, connections: Record<string, unknown>, trouble?: Trouble): Promise<Run> {
    return await this.#run(connections, trouble, session => session.refresh(state));
  }

  async destroy(state: State, connections: Record<string, unknown>, trouble?: Trouble): Promise<Run> {
    return await this.#run(connections, trouble, session => session.destroy(state));
  }

  async #run(
    connections: Record<string, unknown>,
    trouble: Trouble | undefined,
    work: (session: Session) => Promise<void>,
  ): Promise<Run> {
    const provider = await this.#start(connections);
    const session = new Session(provider);
    let killed: (() => void) | undefined;
    const death = new Promise<void>(resolve => {
      killed = resolve;
    });
    trouble?.(provider, {
      kill: () => {
        session.kill();
        provider.kill();
        killed?.();
      },
      cancel: () => {
        session.cancel();
        void provider.cancel();
      },
    });
    try {
      // What a killed provider was asked is never answered.
      await Promise.race([work(session), death]);
    } finally {
      await provider.close();
    }
    session.run.warnings = [...provider.warnings];
    return session.run;
  }
}

/** One run, with one provider. */
class Session {
  readonly run: Run = {
    failed: new Map(),
    begun: [],
    created: [],
    updated: [],
    deleted: [],
    retained: [],
    dropped: [],
    plan: [],
    warnings: [],
    cut: false,
  };
  readonly #provider: Provider;
  /** Urns under which this run found what has another one now. */
  readonly #aliased = new Set<string>();
  #dead = false;
  #canceled = false;

  constructor(provider: Provider) {
    this.#provider = provider;
  }

  /** From here on, nothing is noted. */
  kill(): void {
    this.#dead = true;
    this.run.cut = true;
  }

  /** What is being done is done; nothing else is begun. */
  cancel(): void {
    this.#canceled = true;
    this.run.cut = true;
  }

  get #stopped(): boolean {
    return this.#dead || this.#canceled || this.run.failed.size > 0;
  }

  async refresh(state: State): Promise<void> {
    await Promise.all(
      [...state.entries.values()].map(entry =>
        this.#try(entry.urn, async () => {
          const now = await this.#provider.read(entry.id, entry.outputs);
          if (now.id === "") this.#note(() => void (state.entries.delete(entry.urn) && this.run.dropped.push(entry)));
          else this.#note(() => Object.assign(entry, { id: now.id, outputs: now.outputs, inputs: now.inputs }));
        }),
      ),
    );
  }

  /** What an update would do, as far as it can be told. */
  async plan(state: State, program: Registered[]): Promise<void> {
    const { plan } = this.run;
    const renewed = new Set<string>();
    for (const resource of program) {
      await this.#try(resource.urn, async () => {
        const old = this.#find(state, resource);
        const idOf = (urn: string) => (renewed.has(urn) ? unknown : (state.entries.get(urn)?.id ?? unknown));
        const news = resource.args(idOf);
        const inputs = await this.#check(resource, news, old?.inputs ?? {});
        if (old === undefined) {
          renewed.add(resource.urn);
          plan.push(`create ${resource.urn}`);
          return;
        }
        const { changes, replaces } = await this.#provider.diff(old.id, old.outputs, inputs);
        if (replaces.length > 0) {
          if (old.protect) throw new Error("is protected, and would be replaced");
          await this.#check(resource, news, {});
          renewed.add(resource.urn);
          plan.push(`replace ${resource.urn} (${replaces.join(", ")})`);
        } else if (changes || old.unfinished) plan.push(`update ${resource.urn}`);
      });
    }
    const declared = new Set(program.map(({ urn }) => urn));
    for (const entry of state.all()) {
      if (state.entries.get(entry.urn) === entry && declared.has(entry.urn)) continue;
      if (entry.protect) this.run.failed.set(entry.urn, "is protected, and would be deleted");
      plan.push(`delete ${entry.urn}`);
    }
  }

  async apply(state: State, program: Registered[]): Promise<void> {
    const done = new Map<string, Promise<string | undefined>>();
    const registered = new Set<string>();
    // Steps are made one after the other, and carried out at the same time.
    let making: Promise<unknown> = Promise.resolve();
    for (const resource of program) {
      const before = Promise.all(resource.dependencies.map(urn => done.get(urn)));
      const made = before.then(async ids => {
        if (ids.some(id => id === undefined)) return undefined;
        const idOf = (urn: string) => ids[resource.dependencies.indexOf(urn)] as string;
        const turn = making.then(() => this.#step(state, resource, resource.args(idOf), registered));
        making = turn;
        const work = await turn;
        return await work();
      });
      done.set(resource.urn, made);
    }
    await Promise.all(done.values());
    if (this.#stopped) return;
    const gone = state.all().filter(entry => state.entries.get(entry.urn) !== entry || !registered.has(entry.urn));
    await this.#deleteAll(state, gone);
  }

  async destroy(state: State): Promise<void> {
    await this.#deleteAll(state, state.all());
  }

  /** Finds out what is to be done to a resource. @returns what does it, and gives its id */
  async #step(
    state: State,
    resource: Registered,
    news: Values,
    registered: Set<string>,
  ): Promise<() => Promise<string | undefined>> {
    const nothing = async () => undefined;
    if (this.#stopped) return nothing;
    registered.add(resource.urn);
    let work: () => Promise<string | undefined> = nothing;
    await this.#try(resource.urn, async () => {
      const old = this.#find(state, resource);
      const inputs = await this.#check(resource, news, old?.inputs ?? {});
      if (old === undefined) {
        work = () => this.#create(state, resource, inputs);
        return;
      }
      const { protect, retainOnDelete, dependencies } = resource;
      const diff = await this.#provider.diff(old.id, old.outputs, inputs);
      if (diff.replaces.length > 0) {
        if (old.protect) throw new Error("is protected, and would be replaced");
        const anew = await this.#check(resource, news, {});
        work =
          resource.deleteBeforeReplace || diff.deleteBeforeReplace
            ? () => this.#replaceAfterDelete(state, resource, old, anew)
            : () => this.#create(state, resource, anew, old);
      } else if (diff.changes || old.unfinished) {
        work = () => this.#update(old, resource, inputs);
      } else {
        this.#note(() => Object.assign(old, { inputs, protect, retainOnDelete, dependencies }));
        work = async () => old.id;
      }
    });
    return work;
  }

  async #replaceAfterDelete(
    state: State,
    resource: Registered,
    old: Entry,
    inputs: Values,
  ): Promise<string | undefined> {
    const first = [...state.entries.values()].filter(({ dependencies }) => dependencies.includes(old.urn));
    const guarded = first.find(({ protect }) => protect);
    if (guarded !== undefined) {
      this.run.failed.set(guarded.urn, "is protected, and would be replaced");
      return undefined;
    }
    for (const entry of [...first, old])
      if (!(await this.#try(entry.urn, () => this.#delete(state, entry)))) return undefined;
    return await this.#create(state, resource, inputs);
  }

  async #create(state: State, resource: Registered, inputs: Values, old?: Entry): Promise<string | undefined> {
    if (this.#stopped) return undefined;
    const { urn, kind, protect, retainOnDelete, dependencies } = resource;
    const options = { protect, retainOnDelete, dependencies };
    const note = ({ id, outputs }: { id: string; outputs: Values }, unfinished: boolean) =>
      this.#note(() => {
        const entry: Entry = { uid: ++uids, urn, kind, id, inputs, outputs, unfinished, ...options };
        if (old !== undefined) state.replaced.push(old);
        // Of two that come after each other the later one is used by others.
        state.entries.delete(urn);
        state.entries.set(urn, entry);
        this.run.created.push({ entry, inputs });
      });
    this.run.begun.push({ what: "create", urn, kind, inputs });
    await this.#try(urn, async () => {
      try {
        note(await this.#provider.create(inputs), false);
      } catch (error) {
        if (error instanceof PartlyMade) note(error.made, true);
        throw error;
      }
    });
    return this.run.failed.has(urn) ? undefined : state.entries.get(urn)?.id;
  }

  async #update(old: Entry, resource: Registered, inputs: Values): Promise<string | undefined> {
    if (this.#stopped) return undefined;
    const { protect, retainOnDelete, dependencies } = resource;
    const note = (outputs: Values, unfinished: boolean) =>
      this.#note(() => {
        Object.assign(old, { inputs, outputs, unfinished, protect, retainOnDelete, dependencies });
        this.run.updated.push(old);
      });
    this.run.begun.push({ what: "update", urn: resource.urn, kind: old.kind, inputs, entry: old });
    await this.#try(resource.urn, async () => {
      try {
        note(await this.#provider.update(old.id, old.outputs, inputs), false);
      } catch (error) {
        if (error instanceof PartlyMade) note(error.made.outputs, true);
        throw error;
      }
    });
    return this.run.failed.has(resource.urn) ? undefined : old.id;
  }

  /** Those that use others are deleted before them. */
  async #deleteAll(state: State, entries: Entry[]): Promise<void> {
    for (const entry of entries)
      if (entry.protect) this.run.failed.set(entry.urn, "is protected, and would be deleted");
    if (this.#stopped) return;
    const parts = entries.filter(({ kind }) => kind !== "Image");
    const images = entries.filter(({ kind }) => kind === "Image");
    for (const group of [parts, images]) {
      await Promise.all(group.map(entry => this.#try(entry.urn, () => this.#delete(state, entry))));
      if (this.#stopped) return;
    }
  }

  async #delete(state: State, entry: Entry): Promise<void> {
    if (this.#dead || this.#canceled) return;
    if (!entry.retainOnDelete) {
      this.run.begun.push({ what: "delete", urn: entry.urn, kind: entry.kind, inputs: entry.inputs, entry });
      await this.#provider.delete(entry.id, entry.outputs);
    }
    this.#note(() => {
      if (state.entries.get(entry.urn) === entry) state.entries.delete(entry.urn);
      state.replaced = state.replaced.filter(other => other !== entry);
      (entry.retainOnDelete ? this.run.retained : this.run.deleted).push(entry);
    });
  }

  /** The resource's entry, under its urn or one that it had before. */
  #find(state: State, { urn, aliases }: Registered): Entry | undefined {
    if (this.#aliased.has(urn)) throw new Error("is an alias of another resource");
    const own = state.entries.get(urn);
    if (own !== undefined) return own;
    const [before] = aliases.flatMap(alias => state.entries.get(alias) ?? []);
    if (before === undefined || this.#dead) return undefined;
    this.#aliased.add(before.urn);
    state.entries.delete(before.urn);
    before.urn = urn;
    state.entries.set(urn, before);
    return before;
  }

  async #check({ kind }: Registered, news: Values, olds: Values): Promise<Values> {
    const { inputs, failures } = await this.#provider.check(kind, olds, news);
    if (failures.length > 0) throw new Error(failures.join("; "));
    return inputs;
  }

  /** @returns whether it went well */
  async #try(urn: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!this.#dead) this.run.failed.set(urn, error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  #note(change: () => unknown): void {
    if (!this.#dead) change();
  }
}

function copyOf(state: State): State {
  const copy = new State();
  const moved = new Map(state.all().map(entry => [entry, { ...entry }] as const));
  for (const [urn, entry] of state.entries) copy.entries.set(urn, moved.get(entry) as Entry);
  copy.replaced = state.replaced.map(entry => moved.get(entry) as Entry);
  return copy;
}
