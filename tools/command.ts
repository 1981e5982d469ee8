import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What a command is run with. */
export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** The command is ended after so many milliseconds. Default: never. */
  timeoutMs?: number;
  /** Called with each line the command writes, as it comes. */
  onLine?: (line: string) => void;
}

/** A command that could not be started, was ended, or said no. Its message has the command and what it wrote last. */
export class CommandError extends Error {
  readonly exitCode: number | null;

  constructor(message: string, exitCode: number | null) {
    super(message);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}

const LINES_KEPT_FOR_ERRORS = 15;

/**
 * Runs a command without standard input to its end.
 * @returns what it wrote to standard output
 * @throws CommandError unless its exit code is 0
 */
export async function runCommand(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const shown = [command, ...args].join(" ");
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: "SIGKILL" }),
  });
  const output: string[] = [];
  const last: string[] = [];
  const keep = (line: string): void => {
    last.push(line);
    if (last.length > LINES_KEPT_FOR_ERRORS) last.shift();
    options.onLine?.(line);
  };
  createInterface({ input: child.stderr }).on("line", keep);
  createInterface({ input: child.stdout }).on("line", line => {
    output.push(line);
    keep(line);
  });
  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.once("error", error => reject(new CommandError(`${shown}\n${error.message}`, null)));
      child.once("close", (code, signal) => resolve({ code, signal }));
    },
  );
  if (code === 0) return output.join("\n");
  const ending =
    signal === "SIGKILL" && options.timeoutMs !== undefined
      ? `did not end within ${options.timeoutMs / 1000} s`
      : `ended with ${signal ?? `exit code ${code}`}`;
  throw new CommandError([`${shown}\n${ending}`, ...last].join("\n  "), code);
}

/** What a program's file is called on a system. */
export function executableName(program: string, platform: NodeJS.Platform = process.platform): string {
  return platform === "win32" ? `${program}.exe` : program;
}

/** How npm is started on a system: on Windows it is a script, which Node starts by the shell only. */
export function npmCommand(
  args: readonly string[],
  platform: NodeJS.Platform = process.platform,
): [command: string, args: string[]] {
  return platform === "win32" ? ["cmd.exe", ["/d", "/c", "npm", ...args]] : ["npm", [...args]];
}
