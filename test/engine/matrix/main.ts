/**
 * `npm run killmatrix`: kills a run at each request of each verb of each kind of resource on each service: before the service gets the request
 * and after it has answered; the engine, the provider and the cloud in turn. After each, a second run has to bring about what is declared.
 * Prints each failure, and how many points were tried of what.
 *
 * The provider and the cloud are real processes; the engine is a small one over the real protocol, unless `--engine pulumi` is said, which takes
 * many times as long. `--cloud real` is the real Keystone and Glance. `--log FILE` notes each point, so that the whole can be run in pieces;
 * `--write` puts what a log has into docs/reliability.md, and runs nothing.
 */
import { parseArgs } from "node:util";
import { MatrixBench } from "./bench.ts";
import type { CloudKind } from "./cloud.ts";
import { noted as inState, inspect } from "./inspect.ts";
import { killAt, type Point, refresh, repeat, type Struck, type Victim } from "./kill.ts";
import { killAndRepeat, NotConverged, repeat as repeatSmall } from "./killSmall.ts";
import { SmallEngine } from "./smallEngine.ts";
import { subjects } from "./subjects.ts";
import { note, noted, type Tried, table, writeFigures } from "./tried.ts";

const allVictims: Victim[] = ["engine", "provider", "cloud", "Ctrl-C", "Ctrl-C twice"];
const { values: options } = parseArgs({
  options: {
    cloud: { type: "string", default: "local" },
    /** Only subjects whose "service kind variation" matches. */
    subjects: { type: "string", default: "" },
    victims: { type: "string", default: "engine,provider,cloud" },
    parts: { type: "string", default: "make,remove" },
    /** The first request, from 1. */
    from: { type: "string", default: "1" },
    /** The last one. */
    to: { type: "string", default: "1000" },
    engine: { type: "string", default: "small" },
    /** After how many runs the engine is to look for drift. */
    refresh: { type: "string", default: "6" },
    /** Names each resource that was struck. */
    verbose: { type: "boolean", default: false },
    log: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const cloud = options.cloud as CloudKind;
const pattern = new RegExp(options.subjects);
const wanted = subjects.filter(({ service, kind, variation }) => pattern.test(`${service} ${kind} ${variation}`));
const victims = allVictims.filter(victim => options.victims.split(",").includes(victim));
const tried: Tried[] = [];
let runs = 0;
let failures = 0;
if (options.write) {
  await writeFigures(await noted(options.log as string));
  process.exit();
}
let { bench, engine } = await start();

/** Where a piece is ended before it is done, what each resource is at. */
process.on("SIGTERM", () => {
  for (const slot of bench.slots) {
    const { method, path, status, started } = bench.gateOf(slot).requests.at(-1) ?? {};
    if (started === undefined) continue;
    print(
      `${slot.name}: ${method} ${path} ${status ?? "unanswered"}, ${Math.round((Date.now() - started) / 1000)} s ago`,
    );
  }
  process.exit(1);
});

for (const victim of victims) {
  for (const part of ["make", "remove"] as const) {
    if (!options.parts.split(",").includes(part)) continue;
    for (let request = Number(options.from) - 1, more = true; more && request < Number(options.to); request++) {
      more = false;
      for (const side of ["before", "after"] as const)
        if ((await tryPoint({ part, request, side, victim })) > 0) more = true;
    }
  }
}
await bench.stop();
print(table(tried));
print(`${tried.length} points in ${runs} runs, ${failures} of which didn't converge`);
process.exitCode = failures === 0 ? 0 : 1;

async function start(): Promise<{ bench: MatrixBench; engine: SmallEngine | undefined }> {
  if (options.engine === "pulumi") {
    const bench = await MatrixBench.start("matrix", wanted);
    await inspect(bench);
    return { bench, engine: undefined };
  }
  const bench = await MatrixBench.prepare("matrix", wanted, cloud);
  const engine = new SmallEngine(bench);
  await repeatSmall(bench, engine);
  return { bench, engine };
}

/** @returns how many resources were at their request when the run was killed */
async function tryPoint(point: Point): Promise<number> {
  const what = `${point.victim}: ${point.part}, request ${point.request + 1}, ${point.side}`;
  const begun = Date.now();
  let struck: Struck[] = [];
  let converged = true;
  runs++;
  try {
    if (engine === undefined) {
      struck = await killAt(bench, point);
      const warnings = await repeat(bench);
      const looks = runs % Number(options.refresh) === 0;
      if (looks) await refresh(bench);
      const orphans = await inspect(bench, await inState(bench, looks), warnings);
      for (const one of struck.slice(0, orphans)) one.orphan = true;
    } else struck = await killAndRepeat(bench, engine, point);
    const orphans = struck.filter(({ orphan }) => orphan).length;
    const named = orphans === 0 ? "" : `, ${orphans} finished images named in warnings`;
    print(`ok      ${what}: ${struck.length}${named} (${Math.round((Date.now() - begun) / 1000)} s)`);
  } catch (error) {
    failures++;
    converged = false;
    if (error instanceof NotConverged) struck = error.struck;
    const text = error instanceof Error ? error.message : String(error);
    print(`FAILED  ${what}: ${struck.length}`);
    print(text.slice(0, 8000).replaceAll(/^/gm, "    "));
    for (const { slot, verb, at } of struck.filter(({ slot }) => text.includes(slot)))
      print(`    ${slot}: ${verb} at ${at}`);
    await bench.stop().catch(() => undefined);
    ({ bench, engine } = await start());
  }
  const date = new Date().toISOString().slice(0, 10);
  const now = struck.map(({ slot, verb, at, byHand, orphan }): Tried => {
    const [service = "", kind = ""] = slot.split(" ");
    if (options.verbose) print(`        ${slot}: ${verb} at ${at}`);
    return {
      date,
      cloud,
      service,
      kind,
      verb,
      at,
      ...point,
      converged,
      ...(byHand ? { byHand } : {}),
      ...(orphan ? { orphan } : {}),
    };
  });
  tried.push(...now);
  if (options.log) note(options.log, now);
  return struck.length;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
