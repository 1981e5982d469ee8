import { Server, ServerCredentials, type UntypedServiceImplementation } from "@grpc/grpc-js";
import * as automation from "@pulumi/pulumi/automation/server.js";
import languageServices from "@pulumi/pulumi/proto/language_grpc_pb.js";
import declare from "./declare.cjs";

/** Runs the test program in this process, as the Automation API does with an inline program. */
export interface ProgramHost {
  /** For the CLI's flag --client. */
  address: string;
  stop(): void;
}

// The SDK leaves what it marks as internal out of its types.
const { LanguageServer } = automation as unknown as {
  LanguageServer: new (program: () => Promise<unknown>) => UntypedServiceImplementation;
};

/** @param folder where the program's resources.json is */
export async function startProgramHost(folder: string): Promise<ProgramHost> {
  const server = new Server();
  server.addService(languageServices.LanguageRuntimeService, new LanguageServer(async () => declare(folder)));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}`, stop: () => server.forceShutdown() };
}
