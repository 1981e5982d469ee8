import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { CloudOptions, LocalCloud } from "./cloud.ts";

/** A local cloud in a process of its own, so that it can be killed. What it has answered is on disk, unless it is told to be quicker. */
export class CloudProcess {
  readonly #options: CloudOptions;
  #child: ChildProcess;
  /** What each service says of itself; the addresses stay the same after a kill. */
  readonly services: LocalCloud["services"];

  private constructor(options: CloudOptions, child: ChildProcess, services: LocalCloud["services"]) {
    this.#options = options;
    this.#child = child;
    this.services = services;
  }

  static async start(options: CloudOptions): Promise<CloudProcess> {
    const { child, services } = await launch(options);
    return new CloudProcess(options, child, services);
  }

  /** Ends the process at once, as a power cut would. */
  async kill(): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** Starts it again, on the same folder and at the same addresses. */
  async restart(): Promise<void> {
    const { child, services } = await launch(this.#options);
    this.#child = child;
    const addresses = (of: typeof services) =>
      Object.values(of)
        .map(({ url }) => url)
        .join(" ");
    if (addresses(services) !== addresses(this.services)) throw new Error("the cloud came back elsewhere");
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "close");
    this.#child.stdin?.end();
    await ended;
  }
}

async function launch(options: CloudOptions): Promise<{ child: ChildProcess; services: LocalCloud["services"] }> {
  const script = join(import.meta.dirname, "processMain.ts");
  const child = spawn(process.execPath, [script, JSON.stringify({ durable: true, ...options })], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const services = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", code => reject(new Error(`the cloud ended with ${code}`)));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).once("line", resolve);
  });
  return { child, services: JSON.parse(services) };
}
