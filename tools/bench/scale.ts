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
  when: string;
  machine: string;
  load: number;
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
  const result: Result = {
    count,
    when: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.version}`,
    load: Math.round(loadavg()[0] ?? 0),
    skippedCheckpoints,
    ours: {},
    noop: {},
  };
  const note = (who: Who) => async (step: Step, measured: Measured, stateBytes?: number) => {
    result[who][step] = { ...measured, requests: measured.requests.length };
    if (stateBytes !== undefined) result.stateBytes = stateBytes;
    process.stderr.write(
      `${new Date().toISOString()} ${count} ${who} ${step}: ${measured.seconds.toFixed(1)} s, ${measured.cpu.toFixed(1)} CPU\n`,
    );
    const others = results.filter(other => other !== result && other.count !== count);
    results.splice(0, results.length, ...[...others, result].toSorted((one, other) => one.count - other.count));
    await write();
  };
  if (options.only !== "noop") {
    const dir = join(folder, String(count));
    await mkdir(dir);
    const cloud = await startCloud({ dir, services: ["openstack"] });
    await ourFleet(cloud.openstack, { count, env, note: note("ours") }).finally(() => cloud.stop());
  }
  if (options.only !== "ours") await noopFleet({ count, env, note: note("noop") });
}

/** What `cost ~ count^exponent` comes to between a hundred images and the most. */
function exponent(step: Step, measure: (figures: Figures) => number): string {
  const known = results.filter(({ count, ours }) => count >= 100 && ours[step] !== undefined);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || first === last) return "-";
  const [low, high] = [first, last].map(({ ours }) => measure(ours[step] as Figures)) as [number, number];
  return (Math.log(high / low) / Math.log(last.count / first.count)).toFixed(2);
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map(row => `| ${row.join(" | ")} |`).join("\n");
}

async function write(): Promise<void> {
  await writeFile(file("scale.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  const sizes = results.map(
    ({ count, skippedCheckpoints }) => count.toLocaleString("en") + (skippedCheckpoints ? " *" : ""),
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
  const cloudCpu = results.map(({ count, ours }) => {
    const sum = stepNames.reduce((total, step) => total + (ours[step]?.ownCpu ?? 0), 0);
    return `${sum.toFixed(1)} s at ${count.toLocaleString("en")}`;
  });
  const lines = [
    ...results.map(
      ({ count, when, machine, load }) =>
        `- ${count.toLocaleString("en")} images: ${when}, ${machine}, load average before it ${load}`,
    ),
    "",
    "Images without data on the local cloud, the state in a folder; * with the state written once at the end (`PULUMI_SKIP_CHECKPOINTS`). The exponent is that of `cost ~ images^exponent`, from 100 images to the most.",
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
    "Peak memory of the provider process in MiB, and bytes of state an image:",
    "",
    table(head, [
      ...rows(
        ({ peakMiB }) => peakMiB ?? 1,
        ({ peakMiB }) => peakMiB?.toFixed(0) ?? "-",
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
        points: results.flatMap(({ count, [who]: { [step]: figures } }) => {
          const value = figures && measure(figures);
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
