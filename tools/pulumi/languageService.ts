import { type ChildProcess, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import type { ILanguageRuntimeServer } from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { npmCommand } from "../command.ts";
import { startPolicyPack, startProgram } from "./program.ts";
import { declaredDependencies } from "./programPackage.ts";

/** What of the engine's protocol this host answers; the rest is refused as not implemented. */
export type LanguageHandlers = Pick<
  ILanguageRuntimeServer,
  | "handshake"
  | "getPluginInfo"
  | "getRequiredPackages"
  | "getRequiredPlugins"
  | "run"
  | "runPlugin"
  | "installDependencies"
  | "runtimeOptionsPrompts"
  | "about"
  | "getProgramDependencies"
  | "cancel"
>;

/** An exit code of the SDK's own: the program failed, and the user has been told why. */
const EXIT_CODE_BAIL = 32;

/**
 * The language host's side of the protocol.
 * @param engineAddress where the engine listens, as it was given at the start; the handshake's goes before it
 */
export function languageService(engineAddress: string): { handlers: LanguageHandlers; stop: () => void } {
  let engine = engineAddress;
  const running = new Set<ChildProcess>();
  const stop = (): void => {
    for (const child of running) child.kill("SIGTERM");
  };
  const track = (child: ChildProcess): ChildProcess => {
    running.add(child);
    child.once("close", () => running.delete(child));
    return child;
  };

  const handlers: LanguageHandlers = {
    handshake(call, callback) {
      engine = call.request.getEngineAddress() || engine;
      callback(null, new language.LanguageHandshakeResponse());
    },

    getPluginInfo(_call, callback) {
      callback(null, new plugin.PluginInfo().setVersion("0.0.0"));
    },

    // Dynamic providers come with the SDK; other plugins are found when a resource first asks for them.
    getRequiredPackages(_call, callback) {
      callback(null, new language.GetRequiredPackagesResponse());
    },

    getRequiredPlugins(_call, callback) {
      callback(null, new language.GetRequiredPluginsResponse());
    },

    run(call, callback) {
      let child: ChildProcess;
      try {
        child = track(startProgram(call.request, engine));
      } catch (error) {
        callback(null, new language.RunResponse().setError(messageOf(error)));
        return;
      }
      call.on("cancelled", () => child.kill("SIGTERM"));
      child.once("error", error => callback(null, new language.RunResponse().setError(error.message)));
      child.once("close", (code, signal) => {
        const response = new language.RunResponse();
        if (code === EXIT_CODE_BAIL) response.setBail(true);
        else if (signal !== null) response.setError(`Program was ended by ${signal}`);
        else if (code !== 0) response.setError(`Program exited with non-zero exit code: ${code}`);
        callback(null, response);
      });
    },

    runPlugin(call) {
      if (call.request.getKind() !== "analyzer") {
        call.destroy(new Error("of plugins written in Node.js, this language host only runs policy packs"));
        return;
      }
      let child: ChildProcess;
      try {
        child = track(startPolicyPack(call.request));
      } catch (error) {
        call.destroy(error as Error);
        return;
      }
      call.on("cancelled", () => child.kill("SIGTERM"));
      child.stdout?.on("data", (data: Buffer) => call.write(new language.RunPluginResponse().setStdout(data)));
      child.stderr?.on("data", (data: Buffer) => call.write(new language.RunPluginResponse().setStderr(data)));
      child.once("error", error => call.destroy(error));
      child.once("close", code => {
        call.write(new language.RunPluginResponse().setExitcode(code ?? 1));
        call.end();
      });
    },

    installDependencies(call) {
      const npm = track(
        spawn(...npmCommand(["install", "--loglevel=error"]), {
          cwd: call.request.getInfo()?.getProgramDirectory() || call.request.getDirectory(),
          stdio: ["ignore", "pipe", "pipe"],
        }),
      );
      npm.stdout?.on("data", (data: Buffer) => call.write(new language.InstallDependenciesResponse().setStdout(data)));
      npm.stderr?.on("data", (data: Buffer) => call.write(new language.InstallDependenciesResponse().setStderr(data)));
      npm.once("error", error => call.destroy(error));
      npm.once("close", code => (code === 0 ? call.end() : call.destroy(new Error(`npm install exited with ${code}`))));
    },

    runtimeOptionsPrompts(_call, callback) {
      callback(null, new language.RuntimeOptionsResponse());
    },

    about(_call, callback) {
      const response = new language.AboutResponse();
      callback(null, response.setExecutable(realpathSync(process.execPath)).setVersion(process.version));
    },

    getProgramDependencies(call, callback) {
      const folder = call.request.getInfo()?.getProgramDirectory() || call.request.getPwd();
      const dependencies = declaredDependencies(folder).map(({ name, version }) =>
        new language.DependencyInfo().setName(name).setVersion(version),
      );
      callback(null, new language.GetProgramDependenciesResponse().setDependenciesList(dependencies));
    },

    cancel(call, callback) {
      stop();
      // The answer is of the same empty type as the request.
      callback(null, call.request);
    },
  };
  return { handlers, stop };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
