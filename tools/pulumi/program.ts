import { type ChildProcess, spawn } from "node:child_process";
import type { RunPluginRequest, RunRequest } from "@pulumi/pulumi/proto/language_pb.js";
import { sdkRunner } from "./programPackage.ts";

/** What stands under `runtime: options:` in Pulumi.yaml, as far as running a program goes. */
interface RuntimeOptions {
  /** Whether TypeScript is compiled on the fly. Default: true. */
  typescript?: boolean;
  /** Further arguments for node, separated by spaces. */
  nodeargs?: string;
  /** The path of the tsconfig to use. Default: tsconfig.json beside the program. */
  tsconfig?: string;
}

/**
 * Starts a program, by the Node.js that the engine's PATH leads to (see bin/pulumi-language-nodejs), as the official host does,
 * under the SDK's own runner, with everything it needs to reach the engine.
 * @throws Error when the SDK is not installed where the program is
 */
export function startProgram(request: RunRequest, engineAddress: string): ChildProcess {
  const info = request.getInfo();
  const folder = info?.getProgramDirectory() || request.getPwd();
  const options = (info?.getOptions()?.toJavaScript() ?? {}) as RuntimeOptions;
  const runner = [
    sdkRunner(folder, "run"),
    ...flag("monitor", request.getMonitorAddress()),
    ...flag("engine", engineAddress),
    ...flag("organization", request.getOrganization()),
    ...flag("project", request.getProject()),
    ...flag("root-directory", info?.getRootDirectory() ?? ""),
    ...flag("stack", request.getStack()),
    ...flag("pwd", request.getPwd()),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    ...flag("parallel", String(request.getParallel())),
  ];
  const program = info?.getEntryPoint() || request.getProgram() || ".";
  return spawn(
    process.env.PULUMI_IMAGES_PROGRAM_NODE || process.execPath,
    [...words(options.nodeargs), ...runner, program, ...request.getArgsList()],
    {
      cwd: folder,
      // What the program prints goes to the engine, which shows it.
      stdio: ["ignore", "inherit", "inherit"],
      env: {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toObject())),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
        ...(options.typescript === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
        ...(options.tsconfig === undefined ? {} : { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
      },
    },
  );
}

/**
 * Starts a policy pack under the SDK's own runner: it prints its port, and the engine asks it about each resource.
 * @throws Error when the SDK is not installed where the pack is
 */
export function startPolicyPack(request: RunPluginRequest): ChildProcess {
  const folder = request.getInfo()?.getProgramDirectory() || request.getPwd();
  const runner = sdkRunner(folder, "run-policy-pack");
  return spawn(process.execPath, [runner, ...request.getArgsList(), folder], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: Object.fromEntries(request.getEnvList().map(splitAtFirst)),
  });
}

/** `A=b=c` as its name and its value. */
function splitAtFirst(variable: string): [string, string] {
  const at = variable.indexOf("=");
  return [variable.slice(0, at), variable.slice(at + 1)];
}

function flag(name: string, value: string): string[] {
  return value === "" ? [] : [`--${name}`, value];
}

function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter(word => word !== "") ?? [];
}
