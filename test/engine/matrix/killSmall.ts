import { setTimeout as pause } from "node:timers/promises";
import type { MatrixBench } from "./bench.ts";
import { inspect } from "./inspect.ts";
import { killCloud, type Point, type Struck } from "./kill.ts";
import type { SmallEngine, SmallRun } from "./smallEngine.ts";
import type { Slot } from "./subjects.ts";

/**
 * Takes all resources to their next phase, kills the run with each of them at its request, and repeats it: everything has to be as declared
 * then. A provider whose engine was killed goes on while the next run begins.
 * @returns the resources that were at their request
 */
export async function killAndRepeat(bench: MatrixBench, engine: SmallEngine, point: Point): Promise<Struck[]> {
  const { run, struck, over } = await kill(bench, engine, point);
  try {
    const helped = await helpedOut(bench, engine);
    for (const one of struck) if (helped.names.has(one.slot)) one.byHand = true;
    const orphans = await repeat(bench, engine, helped.warnings);
    if (orphans > 0) for (const one of struck.slice(0, orphans)) one.orphan = true;
  } catch (error) {
    throw new NotConverged(error instanceof Error ? error.message : String(error), struck);
  } finally {
    await over;
    // One whose engine is gone ends by itself.
    if (point.victim === "engine") await run.process.ended;
    await run.close();
  }
  return struck;
}

export class NotConverged extends Error {
  readonly struck: Struck[];

  constructor(message: string, struck: Struck[]) {
    super(message);
    this.struck = struck;
  }
}

async function kill(
  bench: MatrixBench,
  engine: SmallEngine,
  { part, request, side, victim }: Point,
): Promise<{ run: SmallRun; struck: Struck[]; over: Promise<unknown> }> {
  const changing = await bench.step();
  for (const gate of bench.gates.values()) gate.clear();
  const waiting = new Map<Slot, string>();
  for (const [slot, verb] of changing) {
    const makes = verb !== "delete";
    if (makes === (part === "make") || (verb === "replace" && slot.subject.kind === "Image")) waiting.set(slot, verb);
  }
  const concerned = new Map(waiting);
  const run = await engine.open();
  let ended = false;
  const begins = (slot: Slot, now: string) => {
    if (now === part && concerned.has(slot)) bench.gateOf(slot).hold({ skip: request, side });
  };
  const over = run
    .up(begins, (slot, now) => void (now === part && waiting.delete(slot)))
    .then(failed => {
      ended = true;
      return failed;
    });
  while (!ended && [...waiting.keys()].some(slot => bench.gateOf(slot).held === undefined)) await pause(5);
  const struck = [...concerned].flatMap(([slot, verb]) => {
    const { held } = bench.gateOf(slot);
    return held === undefined ? [] : [{ slot: slot.name, verb, at: `${held.method} ${held.path}` }];
  });
  if (victim === "engine") run.kill();
  else if (victim === "provider") await run.process.stop();
  else if (victim === "cloud") await killCloud(bench);
  else await run.process.cancel();
  for (const gate of bench.gates.values()) gate.release();
  if (victim === "cloud") await bench.cloud.restart();
  if (victim === "cloud" || victim === "Ctrl-C") await over;
  return { run, struck, over };
}

/**
 * Where the repeat can only say what a person has to do, that is done.
 * @returns the names of the resources that needed it
 */
async function helpedOut(
  bench: MatrixBench,
  engine: SmallEngine,
): Promise<{ names: Set<string>; warnings: readonly string[] }> {
  const concerned = bench.slots.filter(({ subject, phase }) => subject.byHand !== undefined && phase !== "absent");
  if (concerned.every(({ name }) => engine.state.has(name))) return { names: new Set(), warnings: [] };
  const run = await engine.open();
  try {
    const failed = await run.up();
    const helped = await bench.byHand(({ name }) => failed.get(name)?.message ?? "");
    return { names: new Set(helped.map(({ name }) => name)), warnings: run.warnings };
  } finally {
    await run.close();
  }
}

/**
 * What a person does next; nothing may be left to do after it.
 * @param earlier warnings of a run before this one
 * @returns how many orphans its warnings name
 */
export async function repeat(
  bench: MatrixBench,
  engine: SmallEngine,
  earlier: readonly string[] = [],
): Promise<number> {
  const run = await engine.open();
  try {
    const failed = await run.up();
    if (failed.size > 0) throw new Error([...failed].map(([name, { message }]) => `${name}: ${message}`).join("\n"));
    const orphans = await inspect(bench, engine.state, [...earlier, ...run.warnings]);
    const drifted = await run.drifted();
    if (drifted.length > 0) throw new Error(`drifted:\n${drifted.join("\n")}`);
    return orphans;
  } finally {
    await run.close();
  }
}
