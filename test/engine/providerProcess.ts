import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import { loaderOf } from "../../sdk/loader.ts";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { pulumiEnvironment } from "../../tools/pulumi/environment.ts";

// The messages are those of the protobuf that @pulumi/pulumi brings along.
const ofPulumi = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
const { Struct } = ofPulumi(
  "google-protobuf/google/protobuf/struct_pb.js",
) as typeof import("google-protobuf/google/protobuf/struct_pb.js");

export interface CheckFailure {
  property: string;
  reason: string;
}

/** The engine's own provider process, spoken to as the engine speaks to it: for many calls without many runs of the CLI. */
export class ProviderProcess {
  readonly #child: ChildProcess;
  readonly #client: InstanceType<typeof providerGrpc.ResourceProviderClient>;

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.#client = new providerGrpc.ResourceProviderClient(address, credentials.createInsecure());
  }

  /** @param folder of a Pulumi project, whose node_modules the loader string is resolved from */
  static async start(
    folder: string,
    env: NodeJS.ProcessEnv,
    config: Record<string, string> = {},
  ): Promise<ProviderProcess> {
    const cli = await pulumiCli();
    // No engine's address: nobody is to be told of progress, and nobody's end is to be noticed.
    const child = spawn("pulumi-resource-pulumi-nodejs", ["none"], {
      cwd: folder,
      env: { ...pulumiEnvironment(cli, { backend: folder }), ...env },
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    const port = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", code => reject(new Error(`the provider process ended with ${code}`)));
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).once("line", resolve);
    });
    const started = new ProviderProcess(child, `127.0.0.1:${port}`);
    const request = new providerProto.ConfigureRequest();
    request.setArgs(Struct.fromJavaScript(config));
    await new Promise<void>((resolve, reject) =>
      started.#client.configure(request, error => (error ? reject(error) : resolve())),
    );
    return started;
  }

  /** What is wrong with these inputs of a new resource; an error of the call itself is thrown. */
  async check(provider: Parameters<typeof loaderOf>[0], inputs: Record<string, unknown>): Promise<CheckFailure[]> {
    const request = new providerProto.CheckRequest();
    // What isn't there is left out, as the sdk does.
    const news = JSON.parse(
      JSON.stringify({ ...inputs, resource: "urn:pulumi:dev::test::type::name", __provider: loaderOf(provider) }),
    );
    request.setOlds(Struct.fromJavaScript({}));
    request.setNews(Struct.fromJavaScript(news));
    const response = await new Promise<InstanceType<typeof providerProto.CheckResponse>>((resolve, reject) =>
      this.#client.check(request, (error, answer) => (error ? reject(error) : resolve(answer as never))),
    );
    return response
      .getFailuresList()
      .map(failure => ({ property: failure.getProperty(), reason: failure.getReason() }));
  }

  async stop(): Promise<void> {
    this.#client.close();
    const ended = new Promise(resolve => this.#child.once("close", resolve));
    // The launcher is a shell script: its node is in its process group.
    process.kill(-(this.#child.pid as number), "SIGKILL");
    await ended;
  }
}
