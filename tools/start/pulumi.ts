import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { PulumiCli } from "../pulumi/cli.ts";
import { pulumiEnvironment } from "../pulumi/environment.ts";
import { type Place, projectFolder, stackName } from "./place.ts";

/** Runs the Pulumi CLI on this repository's own project, its output going where ours goes. */
export class PulumiRunner {
  readonly #command: string;
  readonly #environment: NodeJS.ProcessEnv;
  #running: ChildProcess | undefined;
  #stopped: NodeJS.Signals | undefined;

  constructor(cli: PulumiCli, place: Place) {
    this.#command = cli.command;
    this.#environment = {
      ...withoutAccounts(pulumiEnvironment(cli, { backend: place.state })),
      ...shellSettings(place),
      PULUMI_OPTION_SUPPRESS_PROGRESS: "true",
    };
  }

  /**
   * Runs one command to its end.
   * @param quiet keeps its output to itself unless it fails
   * @throws Error when it fails, or when this process was told to stop
   */
  async run(args: string[], { quiet = false } = {}): Promise<void> {
    this.#throwIfStopped();
    const child = spawn(this.#command, args, {
      cwd: projectFolder,
      env: this.#environment,
      stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
      // A terminal's Ctrl-C reaches us alone, and the CLI through us, once: at a second one it drops everything.
      detached: true,
    });
    this.#running = child;
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => output.push(chunk));
    const ending = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(code ?? signal));
    });
    this.#running = undefined;
    this.#throwIfStopped();
    if (ending === 0) return;
    process.stderr.write(Buffer.concat(output));
    throw new Error(`pulumi ${args.join(" ")} failed (${ending}); what it says above is why.`);
  }

  /** Ends the running command, and refuses further ones. */
  stop(signal: NodeJS.Signals): void {
    this.#stopped ??= signal;
    this.#running?.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
  }

  #throwIfStopped(): void {
    if (this.#stopped === undefined) return;
    process.exitCode = 128 + constants.signals[this.#stopped];
    throw new Error("Stopped. The next npm start begins afresh.");
  }
}

/** What a shell exports to work on the same stack and the same cloud. */
export function shellSettings(place: Place): Record<string, string> {
  return {
    OS_CLIENT_CONFIG_FILE: `${place.cloud}/clouds.yaml`,
    OS_CLOUD: "owner",
    PULUMI_BACKEND_URL: `file://${place.state}`,
    PULUMI_CONFIG_PASSPHRASE: "",
    PULUMI_STACK: stackName,
  };
}

/** The user's own cloud has no part in this. */
function withoutAccounts(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("OS_")));
}
