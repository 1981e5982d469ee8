import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { nameOf, readEvents } from "../stack.ts";
import type { MatrixBench, Part } from "./bench.ts";
import type { Side } from "./gate.ts";
import { providerOf, untilEnded } from "./processes.ts";
import type { Slot } from "./subjects.ts";

export type Victim = "engine" | "provider" | "cloud";

/** Where a run is killed: at the so-manieth request of each resource, counted from its create, update or delete. */
export interface Point {
  part: Part;
  /** From 0. */
  request: number;
  side: Side;
  victim: Victim;
}

/** A resource that was at its request when the run was killed. */
export interface Struck {
  slot: string;
  verb: string;
  /** `METHOD /path` */
  at: string;
}

/** The steps that end what is done to a resource, while the program runs. */
const last = ["create", "update", "create-replacement", "delete"];

/** Runs `up` for the next step of every resource, kills it with each of them at its request, and lets the rest of the world go on. */
export async function killAt(bench: MatrixBench, { part, request, side, victim }: Point): Promise<Struck[]> {
  const changing = await bench.step(part);
  await bench.stack.declare(bench.declared());
  const checks = part === "make" ? await checksOf(bench, changing) : new Map<Slot, number>();
  for (const slot of changing.keys()) {
    const gate = bench.gateOf(slot);
    gate.clear();
    gate.hold({ skip: (checks.get(slot) ?? 0) + request, side });
  }
  const log = join(bench.stack.folder, "killed.json");
  const flags = ["--yes", "--skip-preview", "--parallel", "500"];
  const run = bench.stack.start(["up", ...flags], { log });
  const output: string[] = [];
  for (const stream of [run.stdout, run.stderr]) stream?.on("data", piece => output.push(String(piece)));
  const ended = once(run, "close");
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const waiting = new Set(changing.keys());
  while (!over && waiting.size > 0) {
    const done = new Set<string>();
    for (const { resOutputsEvent, resOpFailedEvent } of await readEvents(log)) {
      const metadata = resOutputsEvent?.metadata ?? resOpFailedEvent?.metadata;
      if (metadata !== undefined && last.includes(metadata.op)) done.add(nameOf(metadata.urn));
    }
    for (const slot of waiting) if (bench.gateOf(slot).held !== undefined || done.has(slot.name)) waiting.delete(slot);
    await pause(20);
  }
  const struck = [...changing].flatMap(([slot, verb]) => {
    const { held } = bench.gateOf(slot);
    return held === undefined ? [] : [{ slot: slot.name, verb, at: `${held.method} ${held.path}` }];
  });
  const provider = over ? undefined : await providerOf(run.pid as number);
  if (!over && struck.length > 0) {
    if (victim === "engine") run.kill("SIGKILL");
    else if (victim === "provider") process.kill(provider as number, "SIGKILL");
    else await bench.cloud.kill();
  }
  for (const slot of changing.keys()) bench.gateOf(slot).release();
  if (victim === "cloud" && !over && struck.length > 0) await bench.cloud.restart();
  await ended;
  bench.killed = { output: output.join(""), provider };
  return struck;
}

/** Repeats what was killed, as a person would. */
export async function repeat(bench: MatrixBench): Promise<void> {
  const { stack } = bench;
  await stack.run(["cancel", "--yes"]);
  await stack.up(undefined, "--parallel", "500");
  if (bench.killed?.provider !== undefined) await untilEnded(bench.killed.provider);
}

/** How many requests each resource makes before its step begins: the engine checks one resource after the other, so they can't be held together. */
async function checksOf(bench: MatrixBench, changing: Map<Slot, string>): Promise<Map<Slot, number>> {
  const known = new Map<Slot, number>();
  const unknown = [...changing].filter(([slot, verb]) => !bench.checks.has(`${slot.name.slice(0, -2)} ${verb}`));
  if (unknown.length > 0) {
    for (const gate of bench.gates.values()) gate.clear();
    const preview = await bench.stack.preview(undefined, "--parallel", "500");
    if (preview.code !== 0) throw new Error(preview.text);
    for (const [slot, verb] of unknown)
      bench.checks.set(`${slot.name.slice(0, -2)} ${verb}`, bench.gateOf(slot).requests.length);
  }
  for (const [slot, verb] of changing) known.set(slot, bench.checks.get(`${slot.name.slice(0, -2)} ${verb}`) as number);
  return known;
}
