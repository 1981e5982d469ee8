import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Installation } from "./install.ts";

/** A process that listens already, and loads its API once its configuration has been written. */
export interface Service {
  /** Its address, without a trailing slash. */
  url: string;
  /** Loads the API; returns when it answers. */
  load(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** What a service is started with. */
export interface ServiceOptions {
  /** As it is called in messages, e.g. "Glance". */
  name: string;
  /** The module with the WSGI application, e.g. "glance.wsgi.api". */
  module: string;
  /** A module to load before the configuration is known, to save time. */
  preload: string;
  /** How many requests are served at a time. */
  threads: number;
  /** Default: any free one. */
  port?: number | undefined;
  env: Record<string, string>;
  /** What the service writes goes to this file's end. */
  logFile: string;
}

/** Starts a service up to the point where its port is known. */
export async function startService(installation: Installation, options: ServiceOptions): Promise<Service> {
  const log = await open(options.logFile, "a");
  const args = [
    join(import.meta.dirname, "serve.py"),
    options.module,
    options.preload,
    String(options.threads),
    String(options.port ?? 0),
  ];
  const child = spawn(installation.python, args, {
    env: { ...process.env, ...options.env, PYTHONWARNINGS: "ignore" },
    stdio: ["pipe", "pipe", log.fd],
    // A terminal's Ctrl-C is for the parent, which stops its services in order.
    detached: true,
  });
  await log.close();
  const exited = once(child, "exit");
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error(`${options.name} has no pipes.`);
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (!line.done) return line.value;
    await exited;
    const written = await readFile(options.logFile, "utf8");
    throw new Error(`${options.name} did not start (exit code ${child.exitCode}). It wrote:\n${written.slice(-3000)}`);
  };
  const port = await nextLine();
  return {
    url: `http://127.0.0.1:${port}`,
    async load() {
      stdin.write("load\n");
      await nextLine();
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async stop() {
      stdin.end();
      await exited;
    },
  };
}
