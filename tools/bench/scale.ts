/**
 * How the cost grows with the fleet. `node tools/bench/scale.ts --sizes 10,100,1000` measures, and keeps what it has measured in
 * docs/scale.json, from which docs/scale.svg and the tables of docs/scale.md are made.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { startCloud } from "../../test/cloud/cloud.ts";
import { noopFleet, ourFleet, type Step } from "./fleet.ts";
import type { Measured } from "./measuredStack.ts";
import { type Panel, panels } from "./panels.ts";

interface Options {
  sizes: string;
  only?: Who;
  skipFrom: number;
  output: string;
}

type Who = "ours" | "noop";
type Figures = Omit<Measured, "requests"> & { requests: number };

interface Result {
  count: number;
  machine: string;
  /** When the first of its steps began, and the load average before it. */
  began: Partial<Record<Who, { when: string; load: number }>>;
  /** Written once at the end, not after each step. */
  skippedCheckpoints: boolean;
  stateBytes?: number | undefined;
  ours: Partial<Record<Step, Figures>>;
  noop: Partial<Record<Step, Figures>>;
}

const options = new Command("scale")
  .description(
    "Measures fleets of several sizes on the local cloud, beside a program of the same size that does nothing.",
  )
  .option("--sizes <counts>", "how many images; without it, only the tables and the picture are made", "")
  .option("--only <who>", "ours or noop")
  .option("--skip-from <count>", "from this size on, the state is written once at the end", Number, 10_000)
  .option("--output <folder>", "where scale.json, scale.svg and scale.md are", "docs")
  .parse()
  .opts<Options>();

const steps: Record<Step, string> = {
  up: "up",
  again: "up, no change",
  refresh: "preview --refresh",
  destroy: "destroy",
};
const stepNames = Object.keys(steps) as Step[];
const file = (name: string) => join(options.output, name);
const results: Result[] = JSON.parse(await readFile(file("scale.json"), "utf8").catch(() => "[]"));

const folder = await mkdtemp(join(tmpdir(), "pulumi-images-scale-"));
try {
  for (const count of options.sizes.split(",").filter(Boolean).map(Number)) await measure(count);
} finally {
  await rm(folder, { recursive: true, force: true });
}
await write();

async function measure(count: number): Promise<void> {
  const skippedCheckpoints = count >= options.skipFrom;
  const env = skippedCheckpoints ? { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" } : {};
  const machine = `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.version}`;
  const same = (other: Result) => other.count === count && other.skippedCheckpoints === skippedCheckpoints;
  const earlier = results.find(same);
  // With --only, what was measured of the other stays.
  const result: Result =
    options.only !== undefined && earlier?.machine === machine
      ? earlier
      : { count, machine, began: {}, skippedCheckpoints, ours: {}, noop: {} };
  const begin = (who: Who) => {
    result[who] = {};
    result.began[who] = { when: new Date().toISOString(), load: Math.round((loadavg()[0] ?? 0) * 10) / 10 };
  };
  const note = (who: Who) => async (step: Step, measured: Measured, stateBytes?: number) => {
    result[who][step] = { ...measured, requests: measured.requests.length };
    if (stateBytes !== undefined) result.stateBytes = stateBytes;
    process.stderr.write(
      `${new Date().toISOString()} ${count} ${who} ${step}: ${measured.seconds.toFixed(1)} s, ${measured.cpu.toFixed(1)} CPU\n`,
    );
    const others = results.filter(other => !same(other));
    results.splice(0, results.length, ...[...others, result].toSorted(inOrder));
    await write();
  };
  if (options.only !== "noop") {
    begin("ours");
    const dir = join(folder, String(count));
    await mkdir(dir);
    const cloud = await startCloud({ dir, services: ["openstack"] });
    await ourFleet(cloud.openstack, { count, env, note: note("ours") }).finally(() => cloud.stop());
  }
  if (options.only !== "ours") {
    begin("noop");
    await noopFleet({ count, env, note: note("noop") });
  }
}

/** By what the state costs, then by size. */
function inOrder(one: Result, other: Result): number {
  return Number(other.skippedCheckpoints) - Number(one.skippedCheckpoints) || one.count - other.count;
}

/** What `cost ~ count^exponent` comes to between a hundred images and the most, the state being written once at the end. */
function exponent(step: Step, measure: (figures: Figures) => number): string {
  const known = results.filter(
    ({ count, skippedCheckpoints, ours }) => skippedCheckpoints && count >= 100 && ours[step] !== undefined,
  );
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || first === last) return "-";
  const [low, high] = [first, last].map(({ ours }) => measure(ours[step] as Figures)) as [number, number];
  return (Math.log(high / low) / Math.log(last.count / first.count)).toFixed(2);
}

function started(name: string, began: { when: string; load: number } | undefined): string {
  return began === undefined ? "" : `${name} ${began.when.slice(0, 16)}Z at a load average of ${began.load}`;
}

function beside(value: number, noop: number | undefined): string {
  return noop === undefined ? value.toFixed(0) : `${value.toFixed(0)} (${noop.toFixed(0)})`;
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map(row => `| ${row.join(" | ")} |`).join("\n");
}

async function write(): Promise<void> {
  await writeFile(file("scale.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  const sizes = results.map(
    ({ count, skippedCheckpoints }) =>
      count.toLocaleString("en") + (skippedCheckpoints ? "" : ", state after each step"),
  );
  const rows = (
    measure: (figures: Figures) => number,
    cell: (ours: Figures, noop: Figures | undefined) => string,
  ): string[][] =>
    stepNames.map(step => [
      `\`${steps[step]}\``,
      ...results.map(({ ours, noop }) => (ours[step] === undefined ? "-" : cell(ours[step], noop[step]))),
      exponent(step, measure),
    ]);
  const head = ["", ...sizes, "exponent"];
  const seconds = ({ seconds }: Figures) => seconds;
  const cpu = ({ cpu }: Figures) => cpu;
  const share = (ours: Figures, noop: Figures | undefined) =>
    noop === undefined ? "" : `, ${((noop.cpu / ours.cpu) * 100).toFixed(0)} %`;
  const cloudCpu = results.flatMap(({ count, skippedCheckpoints, ours }) => {
    const sum = stepNames.reduce((total, step) => total + (ours[step]?.ownCpu ?? 0), 0);
    return skippedCheckpoints ? [`${sum.toFixed(1)} s at ${count.toLocaleString("en")}`] : [];
  });
  const lines = [
    ...results.map(
      ({ count, skippedCheckpoints, machine, began }) =>
        `- ${count.toLocaleString("en")} images${skippedCheckpoints ? "" : ", state after each step"}: ${[started("ours", began.ours), started("no-op", began.noop)].filter(Boolean).join(", ")}; ${machine}`,
    ),
    "",
    "Images without data on the local cloud, the state in a folder, written once at the end (`PULUMI_SKIP_CHECKPOINTS`) except in the last columns, where it is written after each step, as is usual. The exponent is that of `cost ~ images^exponent`, from 100 images to the most, the state written once.",
    "",
    "Seconds of the whole command; in brackets those of a program of as many resources whose provider does nothing:",
    "",
    table(
      head,
      rows(seconds, (ours, noop) => `${ours.seconds.toFixed(1)} (${noop?.seconds.toFixed(1) ?? "-"})`),
    ),
    "",
    "CPU seconds of the command with all its processes, and the engine's share: what the program that does nothing needs, too. These hold on a busy machine, seconds don't:",
    "",
    table(
      head,
      rows(cpu, (ours, noop) => `${ours.cpu.toFixed(1)}${share(ours, noop)}`),
    ),
    "",
    "Requests:",
    "",
    table(
      head,
      rows(
        ({ requests }) => requests,
        ({ requests }) => requests.toLocaleString("en"),
      ),
    ),
    "",
    "Peak memory in MiB of the provider process, of the program and of the engine (in brackets the no-op program's), and bytes of state an image:",
    "",
    table(head, [
      ...rows(
        ({ peakMiB }) => peakMiB ?? 1,
        ({ peakMiB, programMiB, engineMiB }, noop) =>
          [
            peakMiB?.toFixed(0) ?? "-",
            programMiB === undefined ? "-" : beside(programMiB, noop?.programMiB),
            engineMiB === undefined ? "-" : beside(engineMiB, noop?.engineMiB),
          ].join(", "),
      ),
      ["state", ...results.map(({ stateBytes }) => String(stateBytes ?? "-")), ""],
    ]),
    "",
    `The local cloud itself took, in all steps together, ${cloudCpu.join(", ")} of CPU: in the seconds, not in the CPU seconds.`,
  ];
  const page = await readFile(file("scale.md"), "utf8");
  const [before = "", after = ""] = page.split(/<!-- measured -->[\s\S]*<!-- end -->/);
  await writeFile(file("scale.md"), `${before}<!-- measured -->\n${lines.join("\n")}\n<!-- end -->${after}`);
  const panel = (title: string, unit: string, measure: (figures: Figures) => number | undefined): Panel => ({
    title,
    unit,
    lines: stepNames.flatMap(step =>
      (["ours", "noop"] as const).map(who => ({
        name: steps[step],
        dashed: who === "noop",
        points: results.flatMap(({ count, skippedCheckpoints, [who]: { [step]: figures } }) => {
          const value = skippedCheckpoints ? figures && measure(figures) : undefined;
          return value === undefined || value <= 0 ? [] : [[count, value] as const];
        }),
      })),
    ),
  });
  const all = [
    panel("CPU time", "s", cpu),
    panel("Requests", "", ({ requests }) => requests),
    panel("Provider's peak memory", "MiB", ({ peakMiB }) => peakMiB),
  ];
  await writeFile(file("scale.svg"), panels(all.filter(({ lines }) => lines.some(({ points }) => points.length > 0))));
}
