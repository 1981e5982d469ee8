import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import statusProto from "@pulumi/pulumi/proto/status_pb.js";
import { loaderOf } from "../../sdk/loader.ts";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { pulumiEnvironment } from "../../tools/pulumi/environment.ts";

// The messages are those of the protobuf that @pulumi/pulumi brings along.
const ofPulumi = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
const { Struct } = ofPulumi(
  "google-protobuf/google/protobuf/struct_pb.js",
) as typeof import("google-protobuf/google/protobuf/struct_pb.js");

const { Empty } = ofPulumi(
  "google-protobuf/google/protobuf/empty_pb.js",
) as typeof import("google-protobuf/google/protobuf/empty_pb.js");

export interface CheckFailure {
  property: string;
  reason: string;
}

export type Values = Record<string, unknown>;
type ProviderName = Parameters<typeof loaderOf>[0];

export interface Difference {
  changes: boolean;
  replaces: string[];
  deleteBeforeReplace: boolean;
}

export interface Made {
  id: string;
  outputs: Values;
}

/** The engine's own provider process, spoken to as the engine speaks to it: for many calls without many runs of the CLI. */
export class ProviderProcess {
  readonly #child: ChildProcess;
  /** Its end, whoever brings it about. */
  readonly ended: Promise<number | null>;
  readonly #client: InstanceType<typeof providerGrpc.ResourceProviderClient>;

  #configured = 0;
  /** What it wrote to stderr, where that is kept. */
  said = "";

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.ended = new Promise(resolve => child.once("close", resolve));
    this.#client = new providerGrpc.ResourceProviderClient(address, credentials.createInsecure());
  }

  /**
   * @param folder of a Pulumi project, whose node_modules the loader string is resolved from
   * @param engine an address, whose end is the process's, too. Default: nobody is told of progress, and nobody's end is noticed
   */
  static async start(
    folder: string,
    env: NodeJS.ProcessEnv,
    config: Record<string, string> = {},
    stderr: "shown" | "kept" = "shown",
    engine = "none",
  ): Promise<ProviderProcess> {
    const cli = await pulumiCli();
    const child = spawn("pulumi-resource-pulumi-nodejs", [engine], {
      cwd: folder,
      env: { ...pulumiEnvironment(cli, { backend: folder }), ...env },
      stdio: ["ignore", "pipe", stderr === "shown" ? "inherit" : "pipe"],
      detached: true,
    });
    const port = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", code => reject(new Error(`the provider process ended with ${code}`)));
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).once("line", resolve);
    });
    const started = new ProviderProcess(child, `127.0.0.1:${port}`);
    child.stderr?.setEncoding("utf8").on("data", text => (started.said += text));
    await started.configure(config);
    return started;
  }

  /** Its launcher's id; the process itself is below it. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** Nobody reads any more what it prints, as when its engine is gone. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  /** Gives the process another stack configuration, which counts from the next check on. */
  async configure(config: Record<string, string>): Promise<void> {
    this.#configured++;
    const request = new providerProto.ConfigureRequest();
    request.setArgs(Struct.fromJavaScript(config));
    await this.#call(done => this.#client.configure(request, done));
  }

  /** The engine's process keeps a provider, with the configuration that it found then, by this text. */
  #loaderOf(provider: ProviderName): string {
    return `${loaderOf(provider)}${this.#configured > 1 ? `//${this.#configured}` : ""}`;
  }

  /** What is wrong with these inputs of a new resource; an error of the call itself is thrown. */
  async check(provider: ProviderName, inputs: Values): Promise<CheckFailure[]> {
    return (await this.checkInputs(provider, inputs)).failures;
  }

  /**
   * As the engine checks a program's inputs.
   * @param resource names the resource; its mark is made from it
   */
  async checkInputs(
    provider: ProviderName,
    inputs: Values,
    { olds = {}, resource = "urn:pulumi:dev::test::type::name" }: { olds?: Values; resource?: string } = {},
  ): Promise<{ failures: CheckFailure[]; inputs: Values }> {
    const request = new providerProto.CheckRequest();
    request.setOlds(structOf(olds));
    request.setNews(structOf({ ...inputs, resource, __provider: this.#loaderOf(provider) }));
    const response = await this.#call<InstanceType<typeof providerProto.CheckResponse>>(done =>
      this.#client.check(request, done),
    );
    const failures = response
      .getFailuresList()
      .map(failure => ({ property: failure.getProperty(), reason: failure.getReason() }));
    return { failures, inputs: valuesOf(response.getInputs()) };
  }

  /** @param olds the resource's outputs; @param news checked inputs */
  async diff(id: string, olds: Values, news: Values): Promise<Difference> {
    const request = new providerProto.DiffRequest();
    request.setId(id);
    request.setOlds(structOf(olds));
    request.setNews(structOf(news));
    const response = await this.#call<InstanceType<typeof providerProto.DiffResponse>>(done =>
      this.#client.diff(request, done),
    );
    // Where it leaves the comparison to the engine, that finds a difference: see provider/resources/stateInputs.ts.
    const changes = response.getChanges() !== providerProto.DiffResponse.DiffChanges.DIFF_NONE;
    return { changes, replaces: response.getReplacesList(), deleteBeforeReplace: response.getDeletebeforereplace() };
  }

  /** @param inputs checked ones; @throws what the provider threw, as the engine gets it */
  async create(inputs: Values): Promise<{ id: string; outputs: Values }> {
    const request = new providerProto.CreateRequest();
    request.setProperties(structOf(inputs));
    const response = await this.#call<InstanceType<typeof providerProto.CreateResponse>>(done =>
      this.#client.create(request, done),
    );
    return { id: response.getId(), outputs: valuesOf(response.getProperties()) };
  }

  /** As a refresh does; an empty id: it is gone. */
  async read(id: string, outputs: Values): Promise<{ id: string; outputs: Values; inputs: Values }> {
    const request = new providerProto.ReadRequest();
    request.setId(id);
    request.setProperties(structOf(outputs));
    const response = await this.#call<InstanceType<typeof providerProto.ReadResponse>>(done =>
      this.#client.read(request, done),
    );
    return {
      id: response.getId(),
      outputs: valuesOf(response.getProperties()),
      inputs: valuesOf(response.getInputs()),
    };
  }

  async update(id: string, olds: Values, news: Values): Promise<Values> {
    const request = new providerProto.UpdateRequest();
    request.setId(id);
    request.setOlds(structOf(olds));
    request.setNews(structOf(news));
    const response = await this.#call<InstanceType<typeof providerProto.UpdateResponse>>(done =>
      this.#client.update(request, done),
    );
    return valuesOf(response.getProperties());
  }

  async delete(id: string, outputs: Values): Promise<void> {
    const request = new providerProto.DeleteRequest();
    request.setId(id);
    request.setProperties(structOf(outputs));
    await this.#call(done => this.#client.delete(request, done));
  }

  /** What was made by a call that failed, which the engine would save. */
  static madeBy(error: unknown): { id: string; outputs: Values } | undefined {
    const [status] = (error as Partial<ServiceError>).metadata?.get("grpc-status-details-bin") ?? [];
    if (status === undefined) return undefined;
    const [detail] = statusProto.Status.deserializeBinary(status as Buffer).getDetailsList();
    const failed = providerProto.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() as Uint8Array);
    return { id: failed.getId(), outputs: valuesOf(failed.getProperties()) };
  }

  /** Checks and creates, as an up does. @param resource its urn */
  async make(provider: ProviderName, inputs: Values, resource: string): Promise<Made> {
    const checked = await this.checkInputs(provider, inputs, { resource });
    if (checked.failures.length > 0) throw new Error(JSON.stringify(checked.failures));
    return await this.create(checked.inputs);
  }

  /** Tells it to stop, as the engine does when a person presses Ctrl-C. */
  async cancel(): Promise<void> {
    await this.#call(done => this.#client.cancel(new Empty(), done));
  }

  #call<Answer>(send: (done: (error: Error | null, answer: Answer) => void) => unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      send((error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }

  async stop(): Promise<void> {
    this.#client.close();
    // The launcher is a shell script: its node is in its process group.
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      process.kill(-(this.#child.pid as number), "SIGKILL");
    await this.ended;
  }
}

/** What isn't there is left out, as the sdk does. */
function structOf(values: Values): InstanceType<typeof Struct> {
  return Struct.fromJavaScript(withoutUndefined(values) as Parameters<typeof Struct.fromJavaScript>[0]);
}

function valuesOf(struct: InstanceType<typeof Struct> | undefined): Values {
  return (struct?.toJavaScript() ?? {}) as Values;
}

/** Not by JSON, which has no NaN. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutUndefined(inner)]));
}
