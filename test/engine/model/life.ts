import { Engine, type Entry, type Run, State, type Trouble } from "./engine.ts";
import { broken, judge, type Owners, partKey } from "./judge.ts";
import type { Kind, StartProvider } from "./provider.ts";
import type { Bench } from "./services/bench.ts";
import type { Account, ModelService, TrueImage, Truth } from "./services/service.ts";
import type { Misfortune, Step } from "./steps.ts";
import {
  called,
  type Declaration,
  firstIdOf,
  imageOf,
  newStack,
  partOfEntry,
  registered,
  type Stack,
  short,
  stackTagOf,
  tagOf,
  urnIn,
} from "./world.ts";

const names = ["a", "b", "c"];
const stackNames = ["dev", "qa", "prod"];
const mostStacks = 4;
/** A service that works on an image for longer than that won't be through with it. */
const stuckMs = 2000;
let lives = 0;

/** One life: stacks and their programs, on a cloud, step by step. */
export class Life {
  /** What was done, in sentences. */
  readonly story: string[] = [];
  readonly #project: string;
  readonly #bench: Bench;
  readonly #service: ModelService;
  readonly #engine: Engine;
  readonly #stacks: Stack[];
  readonly #owners: Owners = new Map();
  /** Ids of images, in the order in which they were first seen. */
  readonly #seen = new Map<string, number>();
  /** Something was made, or could have been. */
  #begun = false;
  /** The ids of the two projects. */
  readonly #ids: Record<Account, string>;

  constructor(bench: Bench, service: ModelService, start: StartProvider, ids: Record<Account, string>) {
    this.#project = `life${process.pid}-${++lives}`;
    this.#bench = bench;
    this.#service = service;
    this.#engine = new Engine(start);
    this.#stacks = [newStack("A", this.#project, "dev")];
    this.#ids = ids;
  }

  /** @throws Broken when an invariant doesn't hold after it */
  async perform(step: Step): Promise<void> {
    if ("stack" in step) await this.#inStack(step, this.#stack(step.stack));
    else if (step.step === "outside") await this.#outside(step);
    else {
      this.#service.forbid?.();
      this.#say("the cloud's operator keeps the properties pulumi_* for administrators");
    }
  }

  /** Whether a step does anything now, as far as that can be told without asking the cloud. */
  possible(step: Step): boolean {
    if (step.step === "forbid") return this.#service.forbid !== undefined && !this.#begun && this.#seen.size === 0;
    if (!("stack" in step)) return true;
    const stack = this.#stack(step.stack);
    const { program, state, account } = stack;
    const images = program.filter(({ kind }) => kind === "Image");
    const some = state.all().length > 0;
    switch (step.step) {
      case "declare":
        return step.kind === "Image" || images.length > 0 || this.#owners.size > 0;
      case "adopt":
        return this.#owners.size > 0;
      case "plant":
        return this.#service.plant !== undefined && images.length > 0 && account === "owner";
      case "change data":
      case "change fields":
        return images.some(({ adopt }) => adopt === undefined);
      case "up":
      case "preview":
        return some || program.length > 0;
      case "refresh":
      case "destroy":
      case "state delete":
      case "stack rm":
        return some;
      case "credentials":
        return this.#service.accounts && some;
      case "state move":
        return some && this.#stacks.some(other => other !== stack && other.backend === stack.backend);
      case "stack rename":
        return some && this.#stacks.length < mostStacks;
      case "second backend":
      case "second stack":
        return program.length > 0 && this.#stacks.length < mostStacks;
      default:
        return program.length > 0;
    }
  }

  async #inStack(step: Extract<Step, { stack: number }>, stack: Stack): Promise<void> {
    switch (step.step) {
      case "declare":
        return await this.#declare(step, stack);
      case "change data":
      case "change fields": {
        const declaration = pick(
          stack.program.filter(({ kind, adopt }) => kind === "Image" && !adopt),
          step.n,
        );
        if (declaration === undefined) return;
        if (step.step === "change data") declaration.image.data = step.data;
        else declaration.image.fields = step.fields;
        return this.#say(`${called(stack)}: the program gives ${the(declaration)} ${described(declaration)}`);
      }
      case "rename":
      case "reparent":
        return this.#rename(step, stack);
      case "option": {
        const declaration = pick(stack.program, step.n);
        if (declaration === undefined) return;
        declaration[step.option] = !declaration[step.option];
        return this.#say(`${called(stack)}: ${the(declaration)} gets ${step.option}: ${declaration[step.option]}`);
      }
      case "undeclare": {
        const declaration = pick(stack.program, step.n);
        if (declaration === undefined) return;
        stack.program = stack.program.filter(other => other !== declaration);
        return this.#say(`${called(stack)}: the program declares ${the(declaration)} no longer`);
      }
      case "adopt":
        return await this.#adopt(step, stack);
      case "preview":
        return await this.#preview(stack, step.refresh);
      case "up":
        return await this.#up(stack, step.refresh, step.misfortune);
      case "refresh":
      case "destroy":
        return await this.#whole(stack, step.step, step.misfortune);
      case "state delete": {
        const entry = pick([...stack.state.entries.values()], step.n);
        // Pulumi refuses as long as others depend on it.
        if (entry === undefined || stack.state.all().some(({ dependencies }) => dependencies.includes(entry.urn)))
          return;
        stack.state.entries.delete(entry.urn);
        return this.#say(`pulumi state delete ${short(entry.urn)} in ${called(stack)}`);
      }
      case "state move":
        return this.#move(step, stack);
      case "stack rename":
        return this.#renameStack(stack, stackNames[step.to % stackNames.length] as string);
      case "stack rm":
        stack.state = new State();
        return this.#say(`pulumi stack rm --force ${called(stack)}, and pulumi stack init`);
      case "second backend":
        return this.#copyStack(stack, stack.backend === "A" ? "B" : "A", stack.name);
      case "second stack": {
        const free = stackNames.find(
          name => !this.#stacks.some(other => other.name === name && other.backend === stack.backend),
        );
        if (free !== undefined) this.#copyStack(stack, stack.backend, free);
        return;
      }
      case "credentials":
        if (!this.#service.accounts) return;
        stack.account = stack.account === "owner" ? "consumer" : "owner";
        return this.#say(`${called(stack)}: its connection is ${stack.account}'s now`);
      case "plant":
        return await this.#plant(step, stack);
    }
  }

  async #declare(step: Extract<Step, { step: "declare" }>, stack: Stack): Promise<void> {
    const name = names[step.name % names.length] as string;
    const images = stack.program.filter(({ kind }) => kind === "Image");
    const there = await this.#finished();
    const targets: Declaration["target"][] = [
      ...images.map(image => ({ resource: image.name })),
      ...there.map(({ id }) => ({ id })),
    ];
    const target = pick(targets, step.target);
    if (step.kind !== "Image" && target === undefined) return;
    const declaration: Declaration = {
      ...{ kind: step.kind, name, inGroup: false, aliases: [], part: step.part },
      image: { name: `image ${name}`, data: step.data, fields: step.fields },
      target: target ?? { id: "" },
      ...{ protect: false, retainOnDelete: false, deleteBeforeReplace: false },
    };
    const verb = this.#put(stack, declaration);
    this.#say(`${called(stack)}: the program ${verb} ${the(declaration)}: ${described(declaration)}`);
  }

  /** @returns what that is */
  #put(stack: Stack, declaration: Declaration): string {
    const at = stack.program.findIndex(({ kind, name }) => kind === declaration.kind && name === declaration.name);
    if (at < 0) {
      stack.program.push(declaration);
      return "declares";
    }
    const { inGroup, aliases, protect, retainOnDelete } = stack.program[at] as Declaration;
    stack.program[at] = { ...declaration, inGroup, aliases, protect, retainOnDelete };
    return "changes";
  }

  #rename(step: Extract<Step, { step: "rename" | "reparent" }>, stack: Stack): void {
    const declaration = pick(stack.program, step.n);
    if (declaration === undefined) return;
    const { kind, name, inGroup } = declaration;
    const to = step.step === "rename" ? (names[step.to % names.length] as string) : name;
    if (step.step === "rename" && stack.program.some(other => other.kind === kind && other.name === to)) return;
    const before = the(declaration);
    declaration.aliases = step.alias ? [...declaration.aliases, { name, inGroup }] : [];
    declaration.name = to;
    if (step.step === "reparent") declaration.inGroup = !inGroup;
    for (const part of stack.program)
      if (kind === "Image" && "resource" in part.target && part.target.resource === name)
        part.target = { resource: to };
    this.#say(`${called(stack)}: ${before} becomes ${the(declaration)}, ${step.alias ? "with" : "without"} an alias`);
  }

  async #adopt(step: Extract<Step, { step: "adopt" }>, stack: Stack): Promise<void> {
    const image = pick(await this.#finished(), step.image);
    if (image === undefined) return;
    const name = names[step.name % names.length] as string;
    const declaration: Declaration = {
      ...{ kind: "Image", name, inGroup: false, aliases: [], part: 0, target: { id: "" } },
      image: { name: image.name, data: 0, fields: step.fields },
      adopt: {
        ...(step.byName ? { name: image.name } : { id: image.id }),
        ...(step.takeOver ? { takeOver: true } : {}),
      },
      ...{ protect: false, retainOnDelete: false, deleteBeforeReplace: false },
    };
    const verb = this.#put(stack, declaration);
    this.#say(`${called(stack)}: the program ${verb} ${the(declaration)}: ${described(declaration)}`);
  }

  #move(step: Extract<Step, { step: "state move" }>, stack: Stack): void {
    const others = this.#stacks.filter(other => other !== stack && other.backend === stack.backend);
    const to = pick(others, step.to);
    const entry = pick([...stack.state.entries.values()], step.n);
    if (to === undefined || entry === undefined) return;
    if (stack.state.all().some(({ dependencies }) => dependencies.includes(entry.urn))) return;
    const urn = entry.urn.replace(`urn:pulumi:${stack.name}::`, `urn:pulumi:${to.name}::`);
    if (to.state.entries.has(urn)) return;
    stack.state.entries.delete(entry.urn);
    to.state.entries.set(urn, Object.assign(entry, { urn, dependencies: [] }));
    const id = imageOf(entry) ?? String(entry.inputs.imageId);
    if (stack.stale.has(id)) to.stale.add(id);
    const declared = stack.program.find(({ kind, name, inGroup }) => urnIn(to, kind, name, inGroup) === urn);
    const moved = step.declared && declared !== undefined;
    if (moved) {
      stack.program = stack.program.filter(other => other !== declared);
      this.#put(to, { ...declared, image: { ...declared.image } });
    }
    const also = moved ? ", and its declaration with it" : "";
    this.#say(`pulumi state move ${short(urn)} from ${called(stack)} to ${called(to)}${also}`);
  }

  #renameStack(stack: Stack, to: string): void {
    if (this.#stacks.some(({ backend, name }) => backend === stack.backend && name === to)) return;
    const renamed = (urn: string) => urn.replace(`urn:pulumi:${stack.name}::`, `urn:pulumi:${to}::`);
    for (const entry of stack.state.all())
      Object.assign(entry, { urn: renamed(entry.urn), dependencies: entry.dependencies.map(renamed) });
    const entries = [...stack.state.entries.values()];
    stack.state.entries.clear();
    for (const entry of entries) stack.state.entries.set(entry.urn, entry);
    const before = called(stack);
    stack.name = to;
    // The program of the same name makes a new stack, where somebody runs it so.
    this.#say(`pulumi stack rename ${to} -s ${before}`);
    if (this.#stacks.length >= mostStacks) return;
    const [name = "", backend = ""] = before.split("@");
    const again = newStack(backend, this.#project, name);
    again.program = stack.program.map(copied);
    this.#stacks.push(again);
  }

  #copyStack(stack: Stack, backend: string, name: string): void {
    if (this.#stacks.length >= mostStacks) return;
    if (this.#stacks.some(other => other.backend === backend && other.name === name)) return;
    const copy = newStack(backend, this.#project, name);
    copy.program = stack.program.map(copied);
    copy.account = stack.account;
    this.#stacks.push(copy);
    this.#say(`pulumi stack init ${called(copy)}, with the program of ${called(stack)}`);
  }

  async #plant(step: Extract<Step, { step: "plant" }>, stack: Stack): Promise<void> {
    const missing = stack.program.filter(
      ({ kind, name, inGroup }) => kind === "Image" && !stack.state.entries.has(urnIn(stack, kind, name, inGroup)),
    );
    const declaration = pick(missing, step.n);
    if (declaration === undefined || this.#service.plant === undefined || stack.account !== "owner") return;
    const resource = tagOf(urnIn(stack, "Image", declaration.name, declaration.inGroup), 0);
    const id = firstIdOf(resource);
    const tags = { resource, stack: stackTagOf(stack) };
    const { plant } = this.#service;
    const made = await plant(id, declaration.image.name, { ...tags, unfinished: step.unfinished }).catch(
      () => undefined,
    );
    const like = step.unfinished ? "as if it were unfinished" : "as if it were finished";
    if (made !== undefined)
      this.#say(`another project makes image ${made} with the id and the tag of ${the(declaration)}, ${like}`);
  }

  async #outside(step: Extract<Step, { step: "outside" }>): Promise<void> {
    if (step.what === "make") {
      const name = `image ${names[step.image % names.length]}`;
      const account = step.image % 3 === 0 && this.#service.accounts ? "consumer" : "owner";
      const id = await this.#service.make(account, name);
      return this.#say(`somebody of ${account} makes image ${id}, ${name}`);
    }
    const image = pick(await this.#finished(), step.image);
    if (image === undefined) return;
    for (const stack of this.#stacks) stack.stale.add(image.id);
    if (step.what === "delete") await this.#service.remove(image);
    else if (step.what === "rename") await this.#service.rename(image, "renamed outside");
    else {
      const tag = step.what === "retag" ? "f".repeat(32) : undefined;
      // Where the operator forbids it, nobody can.
      const done = await this.#service.retag(image, tag).then(
        () => true,
        () => false,
      );
      if (!done) return;
    }
    if (step.what === "retag") this.#owners.set(image.id, new Set());
    const what = { delete: "deletes", rename: "renames", retag: "writes another owner tag on", untag: "untags" };
    this.#say(`behind Pulumi's back, somebody ${what[step.what]} image ${image.id} (${image.name})`);
  }

  async #preview(stack: Stack, refresh: boolean): Promise<void> {
    this.#say(`pulumi preview${refresh ? " --refresh" : ""} of ${called(stack)}`);
    const before = await this.#service.truth();
    const program = registered(stack, this.#service);
    const run = await this.#engine.preview(stack.state, program, await this.#connections(stack), refresh);
    this.#tell(run);
    const after = await this.#service.truth();
    judge({ ...this.#around(stack), known: stack.state.all(), before, after, run, killed: false, calm: true });
  }

  async #up(stack: Stack, refresh: boolean, misfortune: Misfortune | null): Promise<void> {
    this.#say(`pulumi up${refresh ? " --refresh" : ""} of ${called(stack)}${sentence(misfortune)}`);
    const program = registered(stack, this.#service);
    const connections = await this.#connections(stack);
    const before = await this.#service.truth();
    const known = copies(stack);
    const preview = await this.#engine.preview(stack.state, program, connections, refresh);
    if (preview.failed.size > 0) {
      this.#say("the preview fails:");
      this.#tell(preview);
      judge({
        ...this.#around(stack),
        known,
        before,
        after: await this.#service.truth(),
        run: preview,
        killed: false,
        calm: true,
      });
      return;
    }
    const trouble = this.#trouble(misfortune);
    this.#begun = true;
    const run = await this.#engine.up(stack.state, program, connections, { refresh, trouble });
    await this.#finish(stack, { known, before, run, preview, misfortune });
    if (run.failed.size > 0 || run.cut) return;
    if (refresh) stack.stale.clear();
    await this.#agree(stack, refresh);
    // Two of its resources that were told to manage one image take turns for ever.
    const contested = stack.state.all().some(entry => this.#lost(entry));
    // What a program names by its id may be deleted by the same program.
    const truth = await this.#service.truth();
    const dangling = stack.program.some(
      ({ kind, target }) => kind !== "Image" && "id" in target && !truth.has(target.id),
    );
    // An update may see what was changed outside, which the next one then mends.
    if (contested || dangling || (!refresh && stack.stale.size > 0)) return;
    const again = await this.#engine.preview(stack.state, program, connections, refresh);
    if (again.plan.length === 0 && again.failed.size === 0) return;
    broken("a further preview isn't silent", [...again.plan, ...failures(again)].join("; "));
  }

  async #whole(stack: Stack, what: "refresh" | "destroy", misfortune: Misfortune | null): Promise<void> {
    this.#say(`pulumi ${what} of ${called(stack)}${sentence(misfortune)}`);
    const before = await this.#service.truth();
    const known = copies(stack);
    const run = await this.#engine[what](stack.state, await this.#connections(stack), this.#trouble(misfortune));
    await this.#finish(stack, { known, before, run, misfortune });
    if (what === "refresh" && run.failed.size === 0 && !run.cut) stack.stale.clear();
  }

  /** Waits until all is over, and judges. */
  async #finish(
    stack: Stack,
    it: { known: Entry[]; before: Truth; run: Run; preview?: Run; misfortune: Misfortune | null },
  ): Promise<void> {
    const { run, misfortune } = it;
    this.#bench.gate.release();
    this.#tell(run);
    const after = await this.#settled(misfortune !== null);
    for (const { entry } of run.created) this.#seen.set(entry.id, this.#seen.get(entry.id) ?? this.#seen.size);
    this.#transfer(stack, it.before, after, run);
    const killed = misfortune?.what === "kill" && run.cut;
    judge({ ...this.#around(stack), ...it, after, killed, calm: misfortune === null });
    for (const { entry } of [...run.created, ...run.updated.map(entry => ({ entry }))])
      for (const other of this.#stacks)
        if (other !== stack) other.stale.add(imageOf(entry) ?? String(entry.inputs.imageId));
    // What a run that broke off had begun is noted nowhere.
    if (run.cut || run.failed.size > 0)
      for (const { entry, inputs } of run.begun) stack.stale.add((entry && imageOf(entry)) ?? String(inputs.imageId));
    for (const entry of run.deleted)
      for (const other of this.#stacks) other.stale.add(imageOf(entry) ?? String(entry.inputs.imageId));
  }

  /** Whose the images are once a run is over: who made one owns it, and who adopted it. */
  #transfer(stack: Stack, before: Truth, after: Truth, run: Run): void {
    for (const { what, kind, urn, inputs } of run.begun) {
      const adopt = inputs.adopt as { id?: string; name?: string } | undefined;
      if (what !== "create" || kind !== "Image" || adopt === undefined) continue;
      const tag = tagOf(urn, Number(inputs.generation ?? 0));
      // Adopted, though nobody may have noted it.
      for (const { id, ownerTag } of after.values())
        if (ownerTag === tag && before.has(id) && before.get(id)?.ownerTag !== tag) this.#owners.set(id, new Set());
    }
    for (const { entry, inputs } of run.created) {
      const id = imageOf(entry);
      if (id === undefined) continue;
      const image = before.get(id);
      const same = image?.ownerTag === tagOf(entry.urn, Number(inputs.generation ?? 0));
      // One of the same urn, in another backend or of an earlier life of the stack, can't be told from it: it adopts, or resumes, the same.
      const shared = same && (inputs.adopt !== undefined || image?.finished === false);
      const owners = shared ? [...(this.#owners.get(id) ?? [])] : [];
      this.#owners.set(id, new Set([...owners, entry.uid]));
      if (inputs.adopt !== undefined) stack.stale.add(id);
    }
  }

  /** After an up that went well, what the program declares is there, as it declares it. */
  async #agree(stack: Stack, refreshed: boolean): Promise<void> {
    const truth = await this.#service.truth();
    const declared = new Map<string, string>();
    for (const declaration of stack.program) {
      const { kind, name, inGroup, adopt } = declaration;
      const entry = stack.state.entries.get(urnIn(stack, kind, name, inGroup));
      if (entry === undefined) continue;
      const key = partOfEntry(entry, this.#service);
      const lasting = this.#service.lasting?.includes(kind) ?? false;
      if (key !== undefined && declared.has(key) && !lasting)
        broken("two resources declare the same", `${the(declaration)} and ${declared.get(key)}: ${key}`);
      if (key !== undefined) declared.set(key, the(declaration));
      const id = kind === "Image" ? entry.id : String(entry.inputs.imageId);
      if (!refreshed && stack.stale.has(id)) continue;
      const image = truth.get(id);
      if (image === undefined) {
        // What a program names by its id may be deleted by the same program.
        if (kind !== "Image" && "id" in declaration.target) continue;
        broken("not as declared", `image ${id} of ${the(declaration)} isn't there`);
        continue;
      }
      if (kind === "Image" && adopt === undefined) this.#asDeclared(image, declaration, entry);
      if (key !== undefined && imageOf(entry) === undefined && !parts(image).includes(key))
        broken("not as declared", `${key} of ${the(declaration)} isn't there: ${image.whole}`);
    }
  }

  /** Whether an entry's image has been adopted by another one. */
  #lost(entry: Entry): boolean {
    const id = imageOf(entry);
    return id !== undefined && this.#owners.get(id)?.has(entry.uid) === false;
  }

  #asDeclared(image: TrueImage, declaration: Declaration, entry: Entry): void {
    // Where it was adopted, somebody else says what it is like.
    if (!this.#owners.get(image.id)?.has(entry.uid) || entry.inputs.adopt !== undefined) return;
    const wanted = this.#service.digestOf(declaration.image.data);
    if (wanted !== undefined && image.digest !== wanted)
      broken("wrong bytes", `image ${image.id} of ${the(declaration)} has ${image.digest}, not ${wanted}`);
    const differences = this.#service.differs(image, declaration.image);
    if (differences.length > 0)
      broken("not as declared", `image ${image.id} of ${the(declaration)}: ${differences.join("; ")}`);
  }

  /** Has one of the requests of a run meet its misfortune. */
  #trouble(misfortune: Misfortune | null): Trouble | undefined {
    if (misfortune === null) return undefined;
    const { what, at: skip, side } = misfortune;
    const { gate } = this.#bench;
    return (_provider, engine) => {
      gate.clear();
      const where = { skip, after: side === "after" };
      if (what === "kill") gate.faults.add({ ...where, drop: side, hook: () => engine.kill() });
      if (what === "cancel") gate.faults.add({ ...where, hook: () => engine.cancel() });
      if (what === "500") gate.faults.add({ ...where, status: 500, body: "no", times: 1 });
      if (what === "cut") gate.faults.add({ skip, drop: side });
      if (what === "gone") gate.faults.add({ skip, times: Number.POSITIVE_INFINITY, status: 503, body: "no" });
      const page = { "content-type": "text/html" };
      if (what === "proxy")
        gate.faults.add({
          ...{ skip, times: Number.POSITIVE_INFINITY, status: 404 },
          ...{ headers: page, body: "<html><h1>404 Not Found</h1></html>" },
        });
    };
  }

  /** What there is once nothing moves any more. */
  async #settled(struck: boolean): Promise<Truth> {
    let truth = await this.#service.truth();
    if (!struck) return truth;
    for (const until = Date.now() + stuckMs; ; ) {
      const now = await this.#service.truth();
      const same = shown(now) === shown(truth);
      truth = now;
      const busy = [...now.values()].some(image => image.busy) && Date.now() < until;
      if (same && !busy && this.#bench.gate.requests.every(({ ended }) => ended !== undefined)) return truth;
    }
  }

  #around(stack: Stack) {
    const { account } = stack;
    return { stack, stacks: this.#stacks, service: this.#service, account: this.#ids[account], owners: this.#owners };
  }

  async #connections(stack: Stack): Promise<Record<string, unknown>> {
    return { main: await this.#service.connection(stack.account) };
  }

  /** The finished images, in an order that is the same in every life of the same steps. */
  async #finished(): Promise<TrueImage[]> {
    const truth = [...(await this.#service.truth()).values()].sort((one, other) => (one.name < other.name ? -1 : 1));
    for (const { id } of truth) if (!this.#seen.has(id)) this.#seen.set(id, this.#seen.size);
    const order = ({ id }: TrueImage) => this.#seen.get(id) ?? 0;
    return truth.filter(({ finished }) => finished).sort((one, other) => order(one) - order(other));
  }

  #stack(n: number): Stack {
    return this.#stacks[n % this.#stacks.length] as Stack;
  }

  #say(sentence: string): void {
    this.story.push(sentence);
  }

  #tell(run: Run): void {
    for (const { entry } of run.created) this.#say(`    creates ${short(entry.urn)}: ${entry.id}`);
    for (const entry of run.updated) this.#say(`    updates ${short(entry.urn)}: ${entry.id}`);
    for (const entry of run.deleted) this.#say(`    deletes ${short(entry.urn)}: ${entry.id}`);
    for (const entry of run.retained) this.#say(`    forgets ${short(entry.urn)}: ${entry.id}`);
    for (const entry of run.dropped) this.#say(`    finds ${short(entry.urn)} gone: ${entry.id}`);
    for (const { urn, text } of run.warnings) this.#say(`    warning${urn ? ` of ${short(urn)}` : ""}: ${text}`);
    for (const failure of failures(run)) this.#say(`    ${failure}`);
  }
}

const shown = (truth: Truth) => JSON.stringify([...truth.values()].sort((one, other) => (one.id < other.id ? -1 : 1)));

const failures = (run: Run) => [...run.failed].map(([urn, message]) => `error of ${short(urn)}: ${message}`);

function pick<T>(list: readonly T[], n: number): T | undefined {
  return list[n % Math.max(1, list.length)];
}

const copies = (stack: Stack) => stack.state.all().map(entry => ({ ...entry }));

function copied(declaration: Declaration): Declaration {
  const { image, aliases, adopt, target } = declaration;
  return {
    ...declaration,
    image: { ...image },
    aliases: [...aliases],
    target: { ...target },
    ...(adopt ? { adopt: { ...adopt } } : {}),
  };
}

const the = ({ kind, name, inGroup }: { kind: Kind; name: string; inGroup: boolean }) =>
  `${kind} ${name}${inGroup ? " (in the group)" : ""}`;

function described({ kind, image, adopt, target, part }: Declaration): string {
  const whose = "resource" in target ? `Image ${target.resource}` : `image ${target.id}`;
  if (kind !== "Image") return `${["the first", "the second"][part] ?? part}, of ${whose}`;
  if (adopt !== undefined) return `adopt ${JSON.stringify(adopt)}, fields ${image.fields}`;
  return `disk ${image.data}, fields ${image.fields}`;
}

function sentence(misfortune: Misfortune | null): string {
  if (misfortune === null) return "";
  const { what, at, side } = misfortune;
  const words = {
    kill: `is killed ${side} request ${at + 1}`,
    cancel: `is cancelled ${side} request ${at + 1}`,
    "500": `gets 500 ${side} request ${at + 1} is served`,
    cut: `loses the connection ${side} request ${at + 1} is served`,
    gone: `gets 503 from request ${at + 1} on`,
    proxy: `gets a proxy's 404 from request ${at + 1} on`,
  };
  return `, which ${words[what]}`;
}

function parts(image: TrueImage): string[] {
  return [
    ...image.tags.map(tag => partKey("ImageTag", tag, image.id)),
    ...image.members.map(member => partKey("ImageMember", member, image.id)),
    ...image.places.map(place => partKey("ImageCopy", place, image.id)),
  ];
}
