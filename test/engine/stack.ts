import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { dump, load } from "js-yaml";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { pulumiEnvironment } from "../../tools/pulumi/environment.ts";
import { startProgramHost } from "./program/host.ts";
import { type Vault, vault } from "./vault.ts";

const root = join(import.meta.dirname, "..", "..");
const lazyModules = join(import.meta.dirname, "program", "lazyModules.cjs");

/** A stack's environment in which its processes load all that a user's do: where they are measured. */
export const asUsers = { NODE_OPTIONS: "" };

/** A resource of the program under test. See program/index.cjs. */
export interface Declared {
  kind: "Image" | "ImageMember" | "ImageTag" | "ImageCopy";
  name: string;
  args: Record<string, unknown>;
  options?: Record<string, unknown>;
  /** Read by this id instead of made. */
  get?: unknown;
  /** Names of outputs that become stack outputs. */
  show?: string[];
}

/** A component of the program under test, which declares its children within its constructor. */
export interface DeclaredComponent {
  kind: "Component";
  name: string;
  args: { type?: string; children: readonly Declaration[] };
  options?: Record<string, unknown>;
}

/** An explicit provider. */
export interface DeclaredProvider {
  kind: "Provider";
  name: string;
  /** Default: that of dynamic resources. */
  args?: { package: string };
}

export type Declaration = Declared | DeclaredComponent | DeclaredProvider;

export interface Run {
  code: number;
  /** Both streams, as a person sees them. */
  text: string;
  events: EngineEvent[];
  /** What the engine did to each resource, by its name: "create", "update", "same", … */
  steps: Record<string, string>;
  /** The inputs that differ from the state's, by the resource's name. */
  diffs: Record<string, string[]>;
}

/** One line of the engine's event log. Source: pulumi/pulumi sdk/go/common/apitype/events.go. */
export interface EngineEvent {
  resourcePreEvent?: { metadata: StepMetadata; planning?: boolean };
  resOutputsEvent?: { metadata: StepMetadata; planning?: boolean };
  resOpFailedEvent?: { metadata: StepMetadata };
  diagnosticEvent?: { urn?: string; message: string; severity: string; ephemeral?: boolean };
  summaryEvent?: { resourceChanges: Record<string, number> };
}

export interface StepMetadata {
  op: string;
  urn: string;
  type: string;
  old: { inputs: Record<string, unknown>; outputs: Record<string, unknown>; id: string } | null;
  new: { inputs: Record<string, unknown>; outputs: Record<string, unknown>; id: string } | null;
  diffs?: string[];
  keys?: string[];
}

export interface StateResource {
  urn: string;
  type: string;
  id: string;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
  initErrors?: string[];
  propertyDependencies?: Record<string, string[]>;
  sourcePosition?: string;
  stackTrace?: { sourcePosition: string }[];
}

export interface StackOptions {
  config?: Record<string, unknown>;
  env?: NodeJS.ProcessEnv;
  /** Default "dev". */
  stack?: string;
  project?: string;
  /** What the project is called to the letter, where it is the only one of its name on its cloud. */
  wholeProject?: string;
  /**
   * Whether the program runs in a process of its own, as a user's does, with the stack's environment; else it runs in this one, as
   * the Automation API's inline programs do, which costs a command half its time.
   */
  ownProcess?: boolean;
  /** A command that each of its commands is an argument of: one that runs it as another user, say. */
  through?: readonly string[];
  /** The folder that its own is made in. Default: that for temporary files. */
  within?: string;
  /** A folder with a whole program, Pulumi.yaml included, that is copied and run instead of the one that `Declared` resources are for. */
  program?: string;
}

/** What the first `pulumi stack init` of this process wrote. */
let firstInit: Promise<{ project: string; checkpoint: string; config: string }> | undefined;

/** A Pulumi project in a folder of its own, with its state beside it, worked by the real CLI and engine. */
export class Stack {
  readonly folder: string;
  /** As in its Pulumi.yaml, where that is the tests' own. */
  readonly project: string;
  #name: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #command: readonly string[];
  readonly #inline: boolean;
  #runs = 0;

  private constructor(
    { folder, project, name }: { folder: string; project: string; name: string },
    command: readonly string[],
    env: NodeJS.ProcessEnv,
    inline: boolean,
  ) {
    this.folder = folder;
    this.project = project;
    this.#name = name;
    this.#command = command;
    this.#env = env;
    this.#inline = inline;
  }

  static async create(options: StackOptions = {}): Promise<Stack> {
    const folder = await mkdtemp(join(options.within ?? tmpdir(), "pulumi-images-stack-"));
    const name = options.stack ?? "dev";
    await mkdir(join(folder, "state"));
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    // An image knows its resource by the urn, so another test's stack of this name on this cloud has to be another one.
    const unique = `${options.project ?? "images-test"}-${randomUUID().slice(0, 8)}`;
    const project = options.wholeProject ?? unique;
    if (options.program === undefined) await writeProgram(folder, project);
    else await cp(options.program, folder, { recursive: true, filter: file => basename(file) !== "node_modules" });
    const cli = await pulumiCli();
    const inline = !options.ownProcess && !options.program;
    const keys = inline ? await vault() : undefined;
    // The event log is a flag for debugging.
    const env = {
      ...pulumiEnvironment(cli, { backend: join(folder, "state") }),
      PULUMI_DEBUG_COMMANDS: "true",
      // The official language host asks for the plugin of each SDK that it finds in node_modules, needed or not.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // An example's types are checked with all the others; each run of it would do that again, and take twice as long.
      ...(options.program === undefined ? {} : { PULUMI_NODEJS_TRANSPILE_ONLY: "true" }),
      // Half of what a provider process costs that does little.
      NODE_OPTIONS: `--require=${JSON.stringify(lazyModules)}`,
      ...keys?.env,
      ...options.env,
    };
    const stack = new Stack({ folder, project, name }, [...(options.through ?? []), cli.command], env, inline);
    if (inline && options.stack === undefined) await stack.#initLikeTheFirst(project);
    else await stack.#init(keys);
    if (options.config) {
      const made = load(await readFile(stack.#settings, "utf8")) as object;
      await writeFile(stack.#settings, dump({ ...made, config: options.config }));
    }
    return stack;
  }

  get name(): string {
    return this.#name;
  }

  /** Renames it, as `pulumi stack rename` does. */
  async rename(name: string): Promise<void> {
    await this.#demand(["stack", "rename", name]);
    this.#name = name;
  }

  /** Loses its state, as `pulumi stack rm --force` does, and begins with an empty one. */
  async loseState(): Promise<void> {
    await this.#demand(["stack", "rm", "--force", "--yes", "--preserve-config"]);
    await this.#initAgain();
  }

  /** One more stack of the same project, with the same program and the same settings. */
  async another(name: string): Promise<Stack> {
    const { folder, project } = this;
    const stack = new Stack({ folder, project, name }, this.#command, this.#env, this.#inline);
    await cp(this.#settings, stack.#settings);
    await stack.#initAgain();
    return stack;
  }

  /** Takes a resource of this stack's, by its name, to another stack of its project, as `pulumi state move` does. */
  async moveTo(other: Stack, name: string): Promise<void> {
    const urn = (await this.state())[name]?.urn as string;
    await this.#demand(["state", "move", "--yes", "--source", this.name, "--dest", other.name, urn]);
  }

  /** Takes a resource, by its name, out of the state, as `pulumi state delete` does. */
  async forget(name: string): Promise<void> {
    const urn = (await this.state())[name]?.urn as string;
    await this.#demand(["state", "delete", "--yes", urn]);
  }

  /** Changes the state by hand, between `pulumi stack export` and `pulumi stack import`. */
  async editState(change: (resources: StateResource[]) => StateResource[]): Promise<void> {
    const exported = await this.#demand(["stack", "export"]);
    const state = JSON.parse(exported.text) as { deployment: { resources: StateResource[] } };
    state.deployment.resources = change(state.deployment.resources);
    const file = join(this.folder, "edited.json");
    await writeFile(file, JSON.stringify(state));
    await this.#demand(["stack", "import", "--file", file]);
  }

  async #demand(args: string[]): Promise<Run> {
    const run = await this.run(args);
    if (run.code !== 0) throw new Error(`pulumi ${args.join(" ")} failed (${run.code}):\n${run.text}`);
    return run;
  }

  /** `pulumi stack init` leaves the settings that are there. */
  async #initAgain(): Promise<void> {
    await this.#init(this.#inline ? await vault() : undefined);
  }

  async #init(keys?: Vault): Promise<void> {
    const by = keys === undefined ? [] : ["--secrets-provider", keys.provider];
    await this.#demand(["stack", "init", this.name, ...by]);
  }

  /** Like `pulumi stack init`, by a copy of what it wrote in this process's first project. */
  async #initLikeTheFirst(project: string): Promise<void> {
    if (firstInit === undefined) {
      firstInit = vault()
        .then(keys => this.#init(keys))
        .then(async () => ({
          project,
          checkpoint: await readFile(this.#checkpoint(project), "utf8"),
          config: await readFile(this.#settings, "utf8"),
        }));
      return void (await firstInit);
    }
    const first = await firstInit;
    await mkdir(dirname(this.#checkpoint(project)), { recursive: true });
    await writeFile(join(this.folder, "state", ".pulumi", "meta.yaml"), "version: 1\n");
    await writeFile(this.#checkpoint(project), first.checkpoint.replaceAll(first.project, project));
    await writeFile(this.#settings, first.config);
  }

  get #settings(): string {
    return join(this.folder, `Pulumi.${this.name}.yaml`);
  }

  #checkpoint(project: string): string {
    return join(this.folder, "state", ".pulumi", "stacks", project, `${this.name}.json`);
  }

  /** Sets one connection of the stack, by the command that a user has for it; its password encrypted. */
  async setConnection(name: string, settings: Record<string, unknown>): Promise<void> {
    const entries = Object.entries(settings).flatMap(([key, value]) => [
      key === "password" ? "--secret" : "--plaintext",
      `images:connections.${name}.${key}=${value}`,
    ]);
    const set = await this.run(["config", "set-all", "--path", ...entries]);
    if (set.code !== 0) throw new Error(set.text);
  }

  /** Gives it a state that `pulumi stack export --show-secrets` has written: the secrets in it are encrypted by this stack's own key from now on. */
  async import({ deployment, ...rest }: { deployment?: object }): Promise<void> {
    const { secretsprovider, encryptedkey } = load(await readFile(this.#settings, "utf8")) as Record<string, string>;
    const secrets_providers = { type: "cloud", state: { url: secretsprovider, encryptedkey } };
    const file = join(this.folder, "deployment.json");
    await writeFile(file, JSON.stringify({ ...rest, deployment: { ...deployment, secrets_providers } }));
    const imported = await this.run(["stack", "import", "--file", file]);
    await rm(file);
    if (imported.code !== 0) throw new Error(imported.text);
  }

  /** What its commands are run with. */
  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  /** Writes what the program declares from now on. */
  async declare(resources: readonly Declaration[]): Promise<void> {
    await writeFile(join(this.folder, "resources.json"), JSON.stringify(resources));
  }

  /** Declares, applies, and demands that it works. */
  async up(resources?: readonly Declaration[], ...flags: string[]): Promise<Run> {
    const run = await this.tryUp(resources, ...flags);
    if (run.code !== 0) throw new Error(`pulumi up failed (${run.code}):\n${run.text}`);
    return run;
  }

  async tryUp(resources?: readonly Declaration[], ...flags: string[]): Promise<Run> {
    if (resources) await this.declare(resources);
    return await this.run(["up", "--yes", "--skip-preview", "--diff", ...flags], { events: true });
  }

  async preview(resources?: readonly Declaration[], ...flags: string[]): Promise<Run> {
    if (resources) await this.declare(resources);
    return await this.run(["preview", "--diff", ...flags], { events: true });
  }

  async destroy(...flags: string[]): Promise<Run> {
    const run = await this.run(["destroy", "--yes", "--skip-preview", ...flags], { events: true });
    if (run.code !== 0) throw new Error(`pulumi destroy failed (${run.code}):\n${run.text}`);
    return run;
  }

  /** Removes the folder. What the stack made goes with its cloud, which ends with the tests; a test of deletion says `destroy`. */
  async dispose(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** The resources of this package in the state, by name. */
  async state(): Promise<Record<string, StateResource>> {
    const stacks = join(this.folder, "state", ".pulumi", "stacks");
    const [project] = await readdir(stacks);
    const { checkpoint } = JSON.parse(await readFile(join(stacks, project as string, `${this.name}.json`), "utf8")) as {
      checkpoint: { latest?: { resources?: StateResource[] } };
    };
    const own = (checkpoint.latest?.resources ?? []).filter(({ type }) =>
      type.startsWith("pulumi-nodejs:dynamic/images:"),
    );
    return Object.fromEntries(own.map(resource => [nameOf(resource.urn), resource]));
  }

  async outputs(name: string): Promise<Record<string, unknown>> {
    const resource = (await this.state())[name];
    if (resource === undefined) throw new Error(`the state has no resource ${name}`);
    return resource.outputs;
  }

  /**
   * Starts a command that the test means to kill, or to interrupt.
   * @param options.log a file for the engine's events
   * @param options.detached in a process group of its own, as a terminal's command is
   */
  start(args: string[], options: { log?: string; detached?: boolean } = {}): ReturnType<typeof spawn> {
    const events = options.log === undefined ? [] : ["--event-log", options.log];
    const [command = "", ...before] = this.#command;
    return spawn(command, [...before, ...args, "--non-interactive", "--stack", this.name, ...events], {
      cwd: this.folder,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: options.detached ?? false,
    });
  }

  async run(args: string[], options: { events?: boolean; env?: NodeJS.ProcessEnv } = {}): Promise<Run> {
    const log = join(this.folder, `events-${this.name}-${++this.#runs}.json`);
    const host = this.#inline && runsProgram(args) ? await startProgramHost(this.folder) : undefined;
    const namesStack = (args[0] === "stack" && args[1] === "init") || (args[0] === "state" && args[1] === "move");
    const stack = namesStack ? [] : ["--stack", this.name];
    const [command = "", ...before] = this.#command;
    const child = spawn(
      command,
      [
        ...before,
        ...args,
        ...(host ? ["--client", host.address] : []),
        "--non-interactive",
        ...stack,
        ...(options.events ? ["--event-log", log, "--color", "never"] : []),
      ],
      { cwd: this.folder, env: { ...this.#env, ...options.env }, stdio: ["ignore", "pipe", "pipe"] },
    );
    const chunks: Buffer[] = [];
    const out: Buffer[] = [];
    child.stdout.on("data", chunk => {
      chunks.push(chunk);
      out.push(chunk);
    });
    child.stderr.on("data", chunk => chunks.push(chunk));
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", status => resolve(status ?? -1));
    }).finally(() => host?.stop());
    const events = options.events ? await readEvents(log) : [];
    const steps: Record<string, string> = {};
    const diffs: Record<string, string[]> = {};
    for (const { resourcePreEvent } of events) {
      if (resourcePreEvent === undefined || !resourcePreEvent.metadata.type.includes("dynamic/images")) continue;
      const { op, urn, old, new: now } = resourcePreEvent.metadata;
      const name = nameOf(urn);
      // A replacement has several steps; its own word says the most.
      if (steps[name] !== "replace") steps[name] = op;
      if (old && now && op !== "refresh") diffs[name] = differing(old.inputs, now.inputs);
    }
    const text = Buffer.concat(args[1] === "export" ? out : chunks).toString();
    return { code, text, events, steps, diffs };
  }
}

/** Whether a command runs the program. */
function runsProgram(args: readonly string[]): boolean {
  return args[0] === "up" || args[0] === "preview" || args.includes("--run-program");
}

/** The program that makes what resources.json lists. */
async function writeProgram(folder: string, project: string): Promise<void> {
  for (const file of ["index.cjs", "declare.cjs"])
    await cp(join(import.meta.dirname, "program", file), join(folder, file));
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ name: "test-program", private: true, main: "index.cjs" }),
  );
  await writeFile(
    join(folder, "Pulumi.yaml"),
    dump({ name: project, runtime: { name: "nodejs", options: { typescript: false } }, main: "index.cjs" }),
  );
  await writeFile(join(folder, "resources.json"), "[]");
}

/** Names of the inputs that differ; those that only the provider knows aside. */
function differing(old: Record<string, unknown>, now: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  for (const internal of ["__provider", "generation"]) names.delete(internal);
  return [...names].filter(name => JSON.stringify(old[name]) !== JSON.stringify(now[name])).sort();
}

export function nameOf(urn: string): string {
  return urn.split("::").at(-1) as string;
}

export async function readEvents(file: string): Promise<EngineEvent[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return (
    text
      .split("\n")
      // What comes behind the last line's end isn't whole yet.
      .slice(0, -1)
      .map(line => JSON.parse(line) as EngineEvent)
  );
}
