import { EventEmitter } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { join, relative } from "node:path";
import { Script } from "node:vm";
import { build, type Plugin } from "esbuild";
import { loaderOf } from "../../../sdk/loader.ts";
import type { Values } from "../providerProcess.ts";
import { type Mutation, mutated } from "./mutations.ts";
import { type Kind, PartlyMade, type Provider, providers, type StartProvider, type Warning } from "./provider.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const require = createRequire(import.meta.url);

/** The verbs of a provider, as the engine's dynamic-provider process calls them. */
interface Verbs {
  configure(request: { config: { get(key: string): string | undefined } }): Promise<void>;
  check(olds: Values, news: Values): Promise<{ inputs: Values; failures?: { property: string; reason: string }[] }>;
  diff(
    id: string,
    olds: Values,
    news: Values,
  ): Promise<{ changes: boolean | undefined; replaces: string[]; deleteBeforeReplace?: boolean }>;
  create(inputs: Values): Promise<{ id: string; outs: Values }>;
  read(id: string, props: Values): Promise<{ id: string; props: Values; inputs?: Values }>;
  update(id: string, olds: Values, news: Values): Promise<{ outs: Values }>;
  delete(id: string, props: Values): Promise<void>;
}

type Load = (
  module: { exports: unknown },
  require: (name: string) => unknown,
  shared: (name: string, make: () => unknown) => unknown,
  process: unknown,
  url: string,
) => void;

/** Packages as esbuild's code sees them: to make that of one with 600 exports takes longer than all the rest. */
const packages = new Map<string, unknown>();

/**
 * Compiles the provider as it was built, so that each command can have one with a memory of its own within 2 ms: a process takes half a second.
 * It is all of the provider's own code, every module of it anew each time; the packages that it uses, and Node's modules, are this process's.
 * @param changes of its modules, see mutations.ts
 * @param dist where it was built to
 */
export async function loadProviders(
  changes: readonly Mutation[] = [],
  dist: string = join(root, "dist"),
): Promise<StartProvider> {
  const built = await build({
    entryPoints: [join(dist, "provider/index.js")],
    plugins: [changing(dist, [hasty, ...changes])],
    bundle: true,
    packages: "external",
    format: "cjs",
    platform: "node",
    target: "node22.12",
    write: false,
    logLevel: "error",
    supported: { "dynamic-import": false },
    define: { "import.meta.url": "__url" },
  });
  const bundle = built.outputFiles[0]?.text ?? "";
  const text = bundle.replaceAll(
    /__toESM\(require\(("[^"]+")\)(?:, 1)?\)/g,
    (found, name) => `__shared(${name}, () => ${found})`,
  );
  const script = new Script(
    `(function (module, require, __shared, process, __url) { let exports = module.exports; ${text}\n})`,
    {
      filename: "provider.cjs",
    },
  );
  const load = script.runInThisContext() as Load;
  return async connections => {
    const config = { "images:connections": JSON.stringify(connections) } as Record<string, string>;
    return new LoadedProvider(load, { get: key => config[key] });
  };
}

/** The local clouds are through with their work in a millisecond, so that is how long it waits before it looks again. */
const hasty: Mutation = { file: "wait.js", from: /firstPauseMs = 200;/, to: "firstPauseMs = 2;" };

/** Has esbuild read changed modules. */
function changing(dist: string, changes: readonly Mutation[]): Plugin {
  return {
    name: "changing",
    setup(build) {
      const left = new Set(changes.map(({ file }) => file));
      build.onLoad({ filter: /\.js$/ }, async ({ path }) => {
        const file = relative(join(dist, "provider"), path);
        left.delete(file);
        return { contents: mutated(file, await readFile(path, "utf8"), changes), loader: "js" };
      });
      build.onEnd(() => {
        if (left.size > 0) throw new Error(`the provider has no ${[...left].join(", ")} any more`);
      });
    },
  };
}

class LoadedProvider implements Provider {
  readonly warnings: Warning[] = [];
  readonly #verbs: Record<string, Verbs>;
  readonly #agents: (http.Agent | https.Agent)[] = [];
  readonly #config: { get(key: string): string | undefined };
  readonly #configured = new Set<string>();
  /** Whoever waits to hear that the engine calls Cancel. */
  readonly #canceling: ((message: unknown) => void)[] = [];
  #dead = false;

  constructor(load: Load, config: { get(key: string): string | undefined }) {
    const module = { exports: {} };
    const { require: ownRequire, isOwn } = this.#modules();
    const shared = (name: string, make: () => unknown) => {
      if (isOwn(name)) return make();
      if (!packages.has(name)) packages.set(name, make());
      return packages.get(name);
    };
    const url = new URL("dist/provider/bundled/index.js", `file://${root}/`).href;
    load(module, ownRequire, shared, ownProcess(), url);
    this.#verbs = module.exports as Record<string, Verbs>;
    this.#config = config;
  }

  async check(kind: Kind, olds: Values, news: Values) {
    const named = { ...news, __provider: loaderOf(providers[kind]) };
    const { inputs, failures = [] } = await this.#of(named).check(wire(olds), wire(named));
    return {
      inputs: wire({ ...inputs, __provider: named.__provider }),
      failures: failures.map(({ property, reason }) => `${property}: ${reason}`),
    };
  }

  async diff(id: string, olds: Values, news: Values) {
    const { changes, replaces, deleteBeforeReplace = false } = await this.#of(news).diff(id, wire(olds), wire(news));
    // Where it leaves the comparison to the engine, that finds a difference: see provider/resources/stateInputs.ts.
    return { changes: changes !== false, replaces, deleteBeforeReplace };
  }

  async create(inputs: Values) {
    const { id, outs } = await this.#of(inputs).create(wire(inputs)).catch(partly(inputs));
    return { id, outputs: wire({ ...outs, __provider: inputs.__provider }) };
  }

  async read(id: string, outputs: Values) {
    const found = await this.#of(outputs).read(id, wire(outputs));
    const loader = { __provider: outputs.__provider };
    return {
      id: found.id,
      outputs: wire({ ...found.props, ...loader }),
      inputs: wire({ ...found.inputs, ...loader }),
    };
  }

  async update(id: string, olds: Values, news: Values) {
    const { outs } = await this.#of(news).update(id, wire(olds), wire(news)).catch(partly(news));
    return wire({ ...outs, __provider: news.__provider });
  }

  async delete(id: string, outputs: Values) {
    await this.#of(outputs).delete(id, wire(outputs));
  }

  async cancel() {
    for (const tell of this.#canceling) tell({ headers: { ":path": "/pulumirpc.ResourceProvider/Cancel" } });
  }

  kill() {
    this.#dead = true;
    for (const agent of this.#agents) agent.destroy();
  }

  async close() {
    // What it has to say is on its way still.
    await new Promise(setImmediate);
    this.kill();
  }

  /** The provider that an input or output names, configured at its first use. */
  #of({ __provider }: Values): Verbs {
    const name = /\.(\w+);?$/.exec(String(__provider))?.[1] ?? "";
    const verbs = this.#verbs[name];
    if (verbs === undefined) throw new Error(`no provider is named by ${String(__provider)}`);
    if (!this.#configured.has(name)) void verbs.configure({ config: this.#config });
    this.#configured.add(name);
    return verbs;
  }

  /** The provider's way to Node and to packages; its connections end with it, and its engine is this object. */
  #modules(): { require: (name: string) => unknown; isOwn: (name: string) => boolean } {
    const own: Record<string, unknown> = {
      "node:http": { ...http, Agent: this.#mortal(http.Agent) },
      "node:https": { ...https, Agent: this.#mortal(https.Agent) },
      "node:net": { ...require("node:net"), connect: () => new Socket() },
      "node:diagnostics_channel": {
        subscribe: (_channel: string, listener: (message: unknown) => void) => this.#canceling.push(listener),
      },
      "@pulumi/pulumi/proto/engine_grpc_pb.js": { EngineClient: this.#engineClient() },
    };
    const isOwn = (name: string) => Object.hasOwn(own, name);
    const ownRequire = (name: string) => {
      if (isOwn(name)) return own[name];
      const module = require(name) as { default?: unknown; [Symbol.toStringTag]?: string };
      // As esbuild has it, a module's default export is all that \`require\` gives.
      const isDefault = typeof module.default === "function" && module[Symbol.toStringTag] === "Module";
      return isDefault ? module.default : module;
    };
    return { require: ownRequire, isOwn };
  }

  #mortal<Agent extends typeof http.Agent>(Base: Agent): Agent {
    const host = this;
    const Mortal = class extends (Base as typeof http.Agent) {
      constructor(options?: http.AgentOptions) {
        super(options);
        host.#agents.push(this);
      }

      addRequest(...args: unknown[]): void {
        if (host.#dead) return;
        (Base.prototype as unknown as { addRequest(...given: unknown[]): void }).addRequest.apply(this, args);
      }
    };
    return Mortal as unknown as Agent;
  }

  #engineClient() {
    const { warnings } = this;
    return class {
      log(request: { getSeverity(): number; getUrn(): string; getMessage(): string }, ...rest: unknown[]): void {
        const done = rest.at(-1) as (error: null, answer: unknown) => void;
        const warning = 2;
        if (request.getSeverity() >= warning) warnings.push({ urn: request.getUrn(), text: request.getMessage() });
        done(null, {});
      }
    };
  }
}

/** A process's own: the address of its engine, and streams that end with it. */
function ownProcess(): NodeJS.Process {
  return Object.create(process, {
    argv: { value: ["node", "provider", "127.0.0.1:1"] },
    stdout: { value: new EventEmitter() },
    stderr: { value: new EventEmitter() },
    exit: { value: () => {} },
    report: { value: undefined },
  });
}

/** As values come through the engine's protocol. */
function wire(values: Values): Values {
  return JSON.parse(JSON.stringify(values)) as Values;
}

function partly(inputs: Values): (error: unknown) => never {
  return error => {
    const { id, properties, message } = error as { id?: string; properties?: Values; message: string };
    if (id === undefined) throw error;
    throw new PartlyMade(message, { id, outputs: wire({ ...properties, __provider: inputs.__provider }) });
  };
}
