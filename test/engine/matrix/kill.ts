import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { nameOf, type Run, readEvents } from "../stack.ts";
import { checkpointOf, type MatrixBench } from "./bench.ts";
import type { Side } from "./gate.ts";
import { providerOf, untilEnded } from "./processes.ts";
import type { Part } from "./smallEngine.ts";
import type { Slot } from "./subjects.ts";

/** Who is killed: by SIGKILL. Or nobody, but a person presses Ctrl-C in the run's terminal, once or twice. */
export type Victim = "engine" | "provider" | "cloud" | "Ctrl-C" | "Ctrl-C twice";

/**
 * Where a run is killed: at the so-manieth request of each resource, counted from its create, update or replacement; or from its deletion, and
 * that of what was replaced, which the engine does when all else is done.
 */
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
  /** A person had to do something before the repeat. */
  byHand?: boolean;
  /** A finished image stays that no state has, and that a warning of the repeat names. */
  orphan?: boolean;
}

/** The steps that end what is done to a resource, while the program runs. */
const last: Record<Part, string[]> = {
  make: ["create", "update", "create-replacement"],
  remove: ["delete", "delete-replaced"],
};

/** Runs `up` for the next step of every resource, kills it with each of them at its request, and lets the rest of the world go on. */
export async function killAt(bench: MatrixBench, { part, request, side, victim }: Point): Promise<Struck[]> {
  const changing = await bench.step();
  await bench.stack.declare(bench.declared());
  const checks = await checksOf(bench, changing);
  const old = await idsOf(bench);
  for (const [slot, verb] of changing) {
    const gate = bench.gateOf(slot);
    gate.clear();
    const makes = verb !== "delete";
    if (makes === (part === "make")) gate.hold({ skip: (checks.get(slot) ?? 0) + request, side });
    // Members and tags are deleted before they are replaced, which counts as the replacement's beginning.
    else if (verb === "replace" && slot.subject.kind === "Image")
      gate.hold({ skip: request, side, path: new RegExp(old.get(slot.name) ?? "nothing") });
    else changing.delete(slot);
  }
  const log = join(bench.stack.folder, "killed.json");
  const flags = ["--yes", "--skip-preview", "--parallel", "500"];
  // In a process group of its own, as a terminal's command is.
  const run = bench.stack.start(["up", ...flags], { log, detached: true });
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
      if (metadata !== undefined && last[part].includes(metadata.op)) done.add(nameOf(metadata.urn));
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
    const pid = run.pid as number;
    if (victim === "engine") run.kill("SIGKILL");
    else if (victim === "provider") process.kill(provider as number, "SIGKILL");
    else if (victim === "cloud") await killCloud(bench);
    else {
      process.kill(-pid, "SIGINT");
      while (!over && !output.join("").includes("^C received; cancelling")) await pause(20);
      // The engine may not have got round to its first one yet.
      for (; victim === "Ctrl-C twice" && !over; await pause(100)) process.kill(-pid, "SIGINT");
    }
  }
  for (const slot of changing.keys()) bench.gateOf(slot).release();
  if (victim === "cloud" && !over && struck.length > 0) await bench.cloud.restart();
  await ended;
  bench.killed = { output: output.join(""), provider };
  return struck;
}

/** How long the imports of a cloud take that aren't held. */
const importsMs = 150;

/** An import that dies with its Glance keeps its image locked, which is waited for: that is a test of its own, test/faults/died.test.ts. */
export async function killCloud(bench: MatrixBench): Promise<void> {
  await pause(importsMs);
  await bench.cloud.kill();
}

/** What a failed run says, resource by resource. */
export function errorsOf(run: Run): string {
  const said = run.events
    .flatMap(({ diagnosticEvent }) => diagnosticEvent ?? [])
    .filter(({ severity }) => severity === "error");
  return said.map(({ urn, message }) => `${nameOf(urn ?? "::")}: ${message.trim()}`).join("\n");
}

/** Repeats what was killed, as a person would. @returns its warnings */
export async function repeat(bench: MatrixBench): Promise<string[]> {
  const { stack } = bench;
  await stack.run(["cancel", "--yes"]);
  const runs = [await stack.tryUp(undefined, "--parallel", "500")];
  for (let helped = true; helped && runs.at(-1)?.code !== 0; ) {
    const errors = errorsOf(runs.at(-1) as Run).split("\n");
    const ofSlot = ({ name }: Slot) => errors.filter(line => line.startsWith(`${name}: `)).join("\n");
    helped = (await bench.byHand(ofSlot)).length > 0;
    if (helped) runs.push(await stack.tryUp(bench.declared(), "--parallel", "500"));
  }
  const last = runs.at(-1) as Run;
  if (last.code !== 0) throw new Error(errorsOf(last));
  if (bench.killed?.provider !== undefined) await untilEnded(bench.killed.provider);
  return runs
    .flatMap(({ events }) => events.flatMap(({ diagnosticEvent }) => diagnosticEvent ?? []))
    .filter(({ severity }) => severity === "warning")
    .map(({ message }) => message);
}

/**
 * Has the engine look at everything, in which nothing may be found. It keeps a note of each create whose end it doesn't know, and warns of
 * them in each run, until somebody says that they are settled.
 */
export async function refresh({ stack }: MatrixBench): Promise<void> {
  const flags = ["--yes", "--skip-preview", "--clear-pending-creates", "--expect-no-changes", "--parallel", "500"];
  const run = await stack.run(["refresh", ...flags], { events: true });
  if (run.code !== 0) throw new Error(`refreshed: ${run.text.slice(-5000)}\n${errorsOf(run)}`);
}

/** How many requests each resource makes before its step begins: the engine checks one resource after the other, so they can't be held together. */
async function checksOf(bench: MatrixBench, changing: Map<Slot, string>): Promise<Map<Slot, number>> {
  const keyOf = (slot: Slot, verb: string) =>
    JSON.stringify([slot.subject.service, slot.subject.kind, slot.subject.variation, verb]);
  const checked = [...changing].filter(([, verb]) => verb !== "delete");
  if (checked.some(([slot, verb]) => !bench.checks.has(keyOf(slot, verb)))) {
    for (const gate of bench.gates.values()) gate.clear();
    const preview = await bench.stack.preview(undefined, "--parallel", "500");
    if (preview.code !== 0) throw new Error(preview.text);
    for (const [slot, verb] of checked) bench.checks.set(keyOf(slot, verb), bench.gateOf(slot).requests.length);
  }
  return new Map(checked.map(([slot, verb]) => [slot, bench.checks.get(keyOf(slot, verb)) as number]));
}

async function idsOf(bench: MatrixBench): Promise<Map<string, string>> {
  const { resources = [] } = await checkpointOf(bench.stack);
  return new Map(resources.map(({ urn, id }) => [nameOf(urn), id]));
}
