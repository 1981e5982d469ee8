import { spawn } from "node:child_process";
import { join } from "node:path";

/** The command's file. */
export const main = join(import.meta.dirname, "..", "..", "cli", "main.ts");

export interface CommandRun {
  code: number;
  out: string;
  err: string;
}

export interface CommandOptions {
  cwd: string;
  /** Instead of this process's environment. */
  env?: NodeJS.ProcessEnv;
}

/** Runs `pulumi-images` as a process of its own, with no terminal. */
export function pulumiImages(args: readonly string[], options: CommandOptions): Promise<CommandRun> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: options.cwd,
    env: options.env ?? cleanEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", chunk => out.push(chunk));
  child.stderr.on("data", chunk => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", code =>
      resolve({ code: code ?? -1, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }),
    );
  });
}

/** Nothing by which a user of this machine may have configured a connection, or Pulumi. */
export function cleanEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { PATH, LANG, NODE_COMPILE_CACHE } = process.env;
  return { PATH, LANG, NODE_COMPILE_CACHE, HOME: "/nonexistent", XDG_CONFIG_HOME: "/nonexistent", ...more };
}
