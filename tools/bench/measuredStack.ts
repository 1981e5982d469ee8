import { readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TraceEntry } from "../../provider/http/trace.ts";
import { asUsers, type Declared, type Run, Stack, type StackOptions } from "../../test/engine/stack.ts";

export interface Measured {
  /** Seconds of the whole command. */
  seconds: number;
  /** Every try of a request that the provider made. */
  requests: TraceEntry[];
  /** CPU seconds of the command and of all processes that it started. */
  cpu: number;
  /** CPU seconds of this process meanwhile: of the local cloud, that is. */
  ownCpu: number;
  /** Highest resident memory of the provider process, MiB; undefined when it made no request. */
  peakMiB?: number;
  /** The same of the program, where it has a process of its own, and of the engine. */
  programMiB?: number;
  engineMiB?: number;
}

/** A stack whose provider's requests and memory are measured, by the trace that it writes itself. */
export class MeasuredStack {
  readonly stack: Stack;
  readonly #trace: string;

  private constructor(stack: Stack, trace: string) {
    this.stack = stack;
    this.#trace = trace;
  }

  static async create(options: StackOptions): Promise<MeasuredStack> {
    const trace = join(tmpdir(), `pulumi-images-bench-trace-${process.pid}-${Math.random().toString(36).slice(2)}`);
    // The program in a process of its own, as a user's is: else its CPU time would be this process's.
    const stack = await Stack.create({
      ownProcess: true,
      ...options,
      env: { ...asUsers, ...options.env, PULUMI_IMAGES_TRACE: trace },
    });
    return new MeasuredStack(stack, trace);
  }

  async up(resources?: readonly Declared[]): Promise<Measured> {
    if (resources) await this.stack.declare(resources);
    return await this.#run(() => this.stack.run(["up", "--yes", "--skip-preview"]));
  }

  async previewRefresh(): Promise<Measured> {
    return await this.#run(() => this.stack.run(["preview", "--refresh"]));
  }

  async destroy(): Promise<Measured> {
    return await this.#run(() => this.stack.run(["destroy", "--yes", "--skip-preview"]));
  }

  async dispose(): Promise<void> {
    await this.stack.dispose();
    await rm(this.#trace, { force: true });
  }

  async #run(work: () => Promise<Run>): Promise<Measured> {
    const { result, ...measured } = await this.measure(work);
    if (result.code !== 0) throw new Error(result.text);
    return measured;
  }

  /** Measures whatever works on the stack by its environment. */
  async measure<T>(work: () => Promise<T>): Promise<Measured & { result: T }> {
    await rm(this.#trace, { force: true });
    let peak = 0;
    let pid: number | undefined;
    const others: Record<"program" | "engine", number> = { program: 0, engine: 0 };
    // The kernel keeps the highest value itself: it only has to be read before the process ends.
    const sample = async () => {
      pid ??= (await this.#entries())[0]?.pid;
      if (pid === undefined) return;
      peak = Math.max(peak, await peakOf(pid));
    };
    // All processes are looked through seldom, since that takes time from what is measured.
    const known = new Map<number, keyof typeof others>();
    const find = async () => {
      for (const { id, command } of await descendants(process.pid)) {
        if (/cmd\/run\b/.test(command)) known.set(id, "program");
        else if (/\bpulumi$/.test(command.split("\0")[0] ?? "")) known.set(id, "engine");
      }
    };
    const sampleOthers = async () => {
      for (const [id, role] of known) others[role] = Math.max(others[role], await peakOf(id));
    };
    const timer = setInterval(() => void Promise.all([sample(), sampleOthers()]), 250);
    const slowTimer = setInterval(() => void find(), 1000);
    try {
      const start = performance.now();
      const before = { children: await cpuOfChildren(), own: process.cpuUsage() };
      const result = await work();
      const seconds = (performance.now() - start) / 1000;
      const own = process.cpuUsage(before.own);
      const cpu = (await cpuOfChildren()) - before.children;
      const ownCpu = (own.user + own.system) / 1e6;
      return {
        result,
        seconds,
        cpu,
        ownCpu,
        requests: await this.#entries(),
        ...(peak > 0 ? { peakMiB: peak / 1024 } : {}),
        ...(others.program > 0 ? { programMiB: others.program / 1024 } : {}),
        ...(others.engine > 0 ? { engineMiB: others.engine / 1024 } : {}),
      };
    } finally {
      clearInterval(timer);
      clearInterval(slowTimer);
    }
  }

  async #entries(): Promise<(TraceEntry & { pid: number })[]> {
    const text = await readFile(this.#trace, "utf8").catch(() => "");
    // The last line may still be being written.
    return text
      .split("\n")
      .slice(0, -1)
      .map(line => JSON.parse(line));
  }
}

/** Highest resident memory of a process so far, KiB; 0 when it has ended. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
}

/** The processes that one started, and theirs. Source: proc(5), children and cmdline. */
async function descendants(pid: number): Promise<{ id: number; command: string }[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map(thread => readFile(`/proc/${pid}/task/${thread}/children`, "utf8").catch(() => "")),
  );
  const found: { id: number; command: string }[] = [];
  for (const id of lists.join(" ").split(" ").filter(Boolean).map(Number)) {
    const command = await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "");
    found.push({ id, command }, ...(await descendants(id)));
  }
  return found;
}

/** CPU seconds of all processes that this one started and that have ended, theirs included. Source: proc(5), cutime and cstime. */
async function cpuOfChildren(): Promise<number> {
  const stat = await readFile("/proc/self/stat", "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / 100;
}
