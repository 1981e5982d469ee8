import { createRequire } from "node:module";
import { Server, ServerCredentials, type sendUnaryData } from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";

// The messages are those of the protobuf that @pulumi/pulumi brings along.
const ofPulumi = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
const { Empty } = ofPulumi(
  "google-protobuf/google/protobuf/empty_pb.js",
) as typeof import("google-protobuf/google/protobuf/empty_pb.js");

type LogRequest = InstanceType<typeof engineProto.LogRequest>;

/** What an engine hears from its provider process, for tests that speak to that process themselves. */
export class EngineLog {
  /** For ProviderProcess.start. */
  readonly address: string;
  readonly #server: Server;
  readonly #warnings: string[];

  private constructor(server: Server, port: number, warnings: string[]) {
    this.address = `127.0.0.1:${port}`;
    this.#server = server;
    this.#warnings = warnings;
  }

  static async start(): Promise<EngineLog> {
    const warnings: string[] = [];
    const server = new Server();
    server.addService(engineGrpc.EngineService as never, {
      log({ request }: { request: LogRequest }, done: sendUnaryData<unknown>) {
        const isWarning = request.getSeverity() === engineProto.LogSeverity.WARNING;
        if (isWarning && !request.getEphemeral()) warnings.push(request.getMessage());
        done(null, new Empty());
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return new EngineLog(server, port, warnings);
  }

  /**
   * The warnings since the last call. The process doesn't wait for its words to be heard.
   * @param naming waited for until a warning has it, and for ten seconds at most
   */
  async take(naming?: string): Promise<string[]> {
    const end = Date.now() + 10_000;
    while (naming !== undefined && Date.now() < end && !this.#warnings.some(text => text.includes(naming)))
      await new Promise(resolve => setTimeout(resolve, 20));
    return this.#warnings.splice(0);
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}
