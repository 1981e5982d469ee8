import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** The process that runs the provider below an engine's process; undefined as long as there is none. Linux only, as /proc is. */
export async function providerOf(engine: number): Promise<number | undefined> {
  const found = (await below(engine)).find(({ command }) => /^\S*node\0\S*dynamic-provider/.test(command));
  return found?.pid;
}

interface Process {
  pid: number;
  command: string;
}

async function below(ancestor: number): Promise<Process[]> {
  const parents = new Map<number, number>();
  const pids = (await readdir("/proc")).filter(name => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    if (parent) parents.set(pid, parent);
  }
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid);
    return parent !== undefined && (parent === ancestor || isBelow(parent));
  };
  const found = pids.filter(isBelow);
  return await Promise.all(
    found.map(async pid => ({ pid, command: await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "") })),
  );
}

/**
 * How long a process's main thread has been at work or has wanted to be, in ms: how busy the machine is doesn't count. undefined: there is no
 * such process. Source: docs.kernel.org/scheduler/sched-stats.html, `/proc/<pid>/schedstat`.
 */
export async function busyMs(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/schedstat`, "utf8").catch(() => "");
  const [worked, waited] = text.split(" ").map(Number);
  return worked === undefined || waited === undefined ? undefined : (worked + waited) / 1e6;
}

/** Which share of its time a process is busy, until its end. */
export async function shareOfWork(pid: number): Promise<number> {
  const begun = performance.now();
  const first = (await busyMs(pid)) ?? 0;
  let share = 0;
  for (let now = first as number | undefined; now !== undefined; now = await busyMs(pid)) {
    share = (now - first) / Math.max(1, performance.now() - begun);
    await pause(20);
  }
  return share;
}

/** Waits until a process is no more (or is a zombie that nobody waits for). */
export async function untilEnded(pid: number): Promise<void> {
  for (;;) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (stat === "" || stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")) return;
    await pause(20);
  }
}
