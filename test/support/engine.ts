import { createRequire } from "node:module";
import { Server, ServerCredentials, type ServiceDefinition, type sendUnaryData } from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineProto, { type LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";

// The messages are those of the protobuf that @pulumi/pulumi brings along.
const ofPulumi = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"));
const { Empty } = ofPulumi(
  "google-protobuf/google/protobuf/empty_pb.js",
) as typeof import("google-protobuf/google/protobuf/empty_pb.js");

/** The engine's side of what a provider process says, for tests that speak to the process themselves. */
export interface EngineEnd {
  /** What the process gets as its engine's address. */
  address: string;
  /** The warnings so far: name of the resource that each stands beside, and text. */
  warnings: [name: string, text: string][];
  stop(): void;
}

export async function startEngineEnd(): Promise<EngineEnd> {
  const warnings: EngineEnd["warnings"] = [];
  const server = new Server();
  server.addService((engineGrpc as unknown as { EngineService: ServiceDefinition }).EngineService, {
    log({ request }: { request: LogRequest }, done: sendUnaryData<InstanceType<typeof Empty>>) {
      if (request.getSeverity() === engineProto.LogSeverity.WARNING)
        warnings.push([request.getUrn().split("::").at(-1) ?? "", request.getMessage()]);
      done(null, new Empty());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, warnings, stop: () => server.forceShutdown() };
}
