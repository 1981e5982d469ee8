import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Server, ServerCredentials, type ServiceError } from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";
import { ProviderProcess, type Values } from "../providerProcess.ts";
import { type Kind, PartlyMade, type Provider, providers, type StartProvider, type Warning } from "./provider.ts";

// The messages are those of the protobuf that @pulumi/pulumi brings along.
const ofPulumi = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
const { Empty } = ofPulumi(
  "google-protobuf/google/protobuf/empty_pb.js",
) as typeof import("google-protobuf/google/protobuf/empty_pb.js");

const root = join(import.meta.dirname, "..", "..", "..");

/** Providers in processes of their own, over the engine's protocol: a hundred times slower, and nothing of it is this process's. */
export async function startProviders(): Promise<{ start: StartProvider; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "pulumi-images-model-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), "{}");
  return {
    async start(connections) {
      const warnings: Warning[] = [];
      const engine = await startEngine(warning => warnings.push(warning));
      const config = { "images:connections": JSON.stringify(connections) };
      const env = { PULUMI_IMAGES_RETRY_PAUSE_MS: "1", PULUMI_IMAGES_STALL_SECONDS: "1" };
      const process = await ProviderProcess.start(folder, env, config, "kept", engine.address);
      return new ProcessProvider(process, engine, warnings);
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

interface EngineServer {
  address: string;
  stop(): void;
}

/** What an engine hears of its providers. */
async function startEngine(warned: (warning: Warning) => void): Promise<EngineServer> {
  const server = new Server();
  type Call = { request: InstanceType<typeof engineProto.LogRequest> };
  server.addService(engineGrpc.EngineService as never, {
    log({ request }: Call, done: (error: null, answer: unknown) => void) {
      if (request.getSeverity() >= engineProto.LogSeverity.WARNING)
        warned({ urn: request.getUrn(), text: request.getMessage() });
      done(null, new Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}

class ProcessProvider implements Provider {
  readonly warnings: Warning[];
  readonly #process: ProviderProcess;
  readonly #engine: EngineServer;

  constructor(process: ProviderProcess, engine: EngineServer, warnings: Warning[]) {
    this.#process = process;
    this.#engine = engine;
    this.warnings = warnings;
  }

  async check(kind: Kind, olds: Values, news: Values) {
    const { resource, ...inputs } = news;
    const checked = await this.#process.checkInputs(providers[kind], inputs, { olds, resource: String(resource) });
    return {
      inputs: checked.inputs,
      failures: checked.failures.map(({ property, reason }) => `${property}: ${reason}`),
    };
  }

  diff(id: string, olds: Values, news: Values) {
    return this.#process.diff(id, olds, news).catch(plainly);
  }

  create(inputs: Values) {
    return this.#process.create(inputs).catch(partly);
  }

  read(id: string, outputs: Values) {
    return this.#process.read(id, outputs).catch(plainly);
  }

  update(id: string, olds: Values, news: Values) {
    return this.#process.update(id, olds, news).catch(partly);
  }

  delete(id: string, outputs: Values) {
    return this.#process.delete(id, outputs).catch(plainly);
  }

  cancel() {
    return this.#process.cancel();
  }

  kill() {
    this.#engine.stop();
    void this.#process.stop();
  }

  async close() {
    await this.#process.stop();
    this.#engine.stop();
  }
}

function plainly(error: unknown): never {
  throw new Error((error as Partial<ServiceError>).details ?? (error as Error).message);
}

function partly(error: unknown): never {
  const made = ProviderProcess.madeBy(error);
  if (made === undefined) plainly(error);
  throw new PartlyMade((error as Partial<ServiceError>).details ?? (error as Error).message, made);
}
