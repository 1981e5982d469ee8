/**
 * `npm run pulumi -- <arguments>`: the Pulumi CLI in the caller's directory, as if it were installed.
 */
import { spawn } from "node:child_process";
import { pulumiCli } from "./cli.ts";
import { pulumiEnvironment } from "./environment.ts";

async function main(): Promise<void> {
  const cli = await pulumiCli();
  const child = spawn(cli.command, process.argv.slice(2), {
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: pulumiEnvironment(cli),
    stdio: "inherit",
  });
  // A terminal's Ctrl-C reaches the CLI by itself; it wants to end in its own time, and this process with it.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.once("error", fail);
  child.once("exit", (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal === null) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

main().catch(fail);
