import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Clients } from "./environment.ts";
import { pythonEnvironment, SCRIPTS } from "./environment.ts";

/** The `openstack` command with one user's settings. It is loaded once, which takes much longer than most of what it does. */
export class OpenStackCommand {
  readonly #child;
  readonly #answers;

  /** @param env OS_* variables */
  constructor(clients: Clients, env: NodeJS.ProcessEnv) {
    this.#child = spawn(clients.python, [join(SCRIPTS, "openstack_commands.py")], {
      env: { ...pythonEnvironment(), ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Runs one command, after those before it.
   * @returns what it printed
   * @throws Error with what it wrote to standard error, when it fails
   */
  async run(...args: string[]): Promise<string> {
    this.#child.stdin.write(`${JSON.stringify(args)}\n`);
    const answer = await this.#answers.next();
    if (answer.done) throw new Error(`openstack ${args.join(" ")}: the process has ended`);
    const { code, out, err } = JSON.parse(answer.value) as { code: number; out: string; err: string };
    if (code !== 0) throw new Error(`openstack ${args.join(" ")}: exit code ${code}\n${err}${out}`);
    return out;
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}
