import { Server, ServerCredentials, type sendUnaryData } from "@grpc/grpc-js";
import * as automation from "@pulumi/pulumi/automation/server.js";
import languageServices from "@pulumi/pulumi/proto/language_grpc_pb.js";
import * as settings from "@pulumi/pulumi/runtime/settings.js";
import * as state from "@pulumi/pulumi/runtime/state.js";
import declare from "./declare.cjs";

/** Runs the test program in this process, as the Automation API does with an inline program. */
export interface ProgramHost {
  /** For the CLI's flag --client. */
  address: string;
  stop(): void;
}

interface Run {
  /** The way to the engine was lost. */
  terminated?: boolean;
  settings: { monitor?: { close(): void }; engine?: { close(): void } };
}

// The SDK leaves what it marks as internal out of its types.
const { LanguageServer } = automation as unknown as {
  LanguageServer: new (
    program: () => Promise<unknown>,
  ) => { run: Handler; getRequiredPlugins: Handler; getPluginInfo: Handler };
};
const { grpcClientOptions } = settings as unknown as { grpcClientOptions: Record<string, unknown> };
const { getStore } = state as unknown as { getStore(): Run };
type Handler = (call: unknown, callback: sendUnaryData<unknown>) => void;

// Else a new engine on a port that an ended one had is taken for that one, and held to be down.
grpcClientOptions["grpc.use_local_subchannel_pool"] = 1;

/** @param folder where the program's resources.json is */
export async function startProgramHost(folder: string): Promise<ProgramHost> {
  const server = new Server();
  let run: Run | undefined;
  const language = new LanguageServer(async () => {
    run = getStore();
    return declare(folder);
  });
  server.addService(languageServices.LanguageRuntimeService, {
    getRequiredPlugins: language.getRequiredPlugins,
    getPluginInfo: language.getPluginInfo,
    // The SDK takes a lost engine for one that has ended, and the program for done: the engine would then delete what wasn't declared.
    run: (call: unknown, callback: sendUnaryData<unknown>) =>
      language.run(call, (error, response) =>
        error === null || error === undefined
          ? callback(run?.terminated ? new Error("the program lost the engine") : null, response)
          : callback(error),
      ),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    address: `127.0.0.1:${port}`,
    stop() {
      // The SDK closes those of a program in a process of its own only.
      run?.settings.monitor?.close();
      run?.settings.engine?.close();
      server.forceShutdown();
    },
  };
}
