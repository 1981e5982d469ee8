/** How the cost grows with the fleet. `node tools/bench/scale.ts --sizes 10,100,1000`; it writes docs/scale.svg and the tables of docs/scale.md. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { startCloud } from "../../test/cloud/cloud.ts";
import { type FleetResult, noopFleet, ourFleet } from "./fleet.ts";
import type { Measured } from "./measuredStack.ts";
import { type Panel, panels } from "./panels.ts";

interface Options {
  sizes: string;
  skipFrom: number;
  output: string;
}

const options = new Command("scale")
  .description(
    "Measures fleets of several sizes on the local cloud, beside a program of the same size that does nothing.",
  )
  .option("--sizes <counts>", "how many images", "10,100,1000")
  .option("--skip-from <count>", "from this size on, the state is written once at the end", Number, 10_000)
  .option("--output <folder>", "where scale.svg and scale.md are", "docs")
  .parse()
  .opts<Options>();

const steps = { up: "up", again: "up, no change", refresh: "preview --refresh", destroy: "destroy" } as const;
type Step = keyof typeof steps;
const stepNames = Object.keys(steps) as Step[];
const results: { count: number; noop: FleetResult; ours: FleetResult }[] = [];
const folder = await mkdtemp(join(tmpdir(), "pulumi-images-scale-"));
try {
  for (const count of options.sizes.split(",").map(Number)) {
    const env = count >= options.skipFrom ? { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" } : {};
    const noop = await noopFleet({ count, env });
    say(count, "no-op", noop);
    const dir = join(folder, String(count));
    await mkdir(dir);
    const cloud = await startCloud({ dir, services: ["openstack"] });
    const ours = await ourFleet(cloud.openstack, { count, env }).finally(() => cloud.stop());
    say(count, "ours", ours);
    results.push({ count, noop, ours });
    await write();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function say(count: number, what: string, result: FleetResult): void {
  const parts = stepNames.map(
    step => `${step} ${result[step].seconds.toFixed(1)} s (${result[step].cpu.toFixed(1)} CPU)`,
  );
  process.stderr.write(`${new Date().toISOString()} ${count} ${what}: ${parts.join(", ")}\n`);
}

/** What `cost ~ count^exponent` comes to between two sizes. */
function exponent(measure: (result: (typeof results)[number]) => number): string {
  const [first, last] = [results.find(({ count }) => count >= 100), results.at(-1)];
  if (first === undefined || last === undefined || first === last) return "-";
  return (Math.log(measure(last) / measure(first)) / Math.log(last.count / first.count)).toFixed(2);
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map(row => `| ${row.join(" | ")} |`).join("\n");
}

async function write(): Promise<void> {
  const sizes = results.map(({ count }) => count.toLocaleString("en"));
  const range = `exponent, from ${results.find(({ count }) => count >= 100)?.count ?? "-"}`;
  const perStep = (cell: (measured: Measured, floor: Measured) => string, measure: (measured: Measured) => number) =>
    stepNames.map(step => [
      `\`${steps[step]}\``,
      ...results.map(({ ours, noop }) => cell(ours[step], noop[step])),
      exponent(({ ours }) => measure(ours[step])),
    ]);
  const share = ({ cpu }: Measured, floor: Measured) => `${((floor.cpu / cpu) * 100).toFixed(0)} %`;
  const lines = [
    `${new Date().toISOString()}, ${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.version}, load average at the end ${loadavg()[0]?.toFixed(1)}. Images without data on the local cloud, state in a folder${results.some(({ count }) => count >= options.skipFrom) ? `; from ${options.skipFrom.toLocaleString("en")} images on written once at the end (PULUMI_SKIP_CHECKPOINTS)` : ""}.`,
    "",
    "Seconds of the whole command, in brackets those of the no-op program:",
    "",
    table(
      ["", ...sizes, range],
      perStep(
        ({ seconds }, floor) => `${seconds.toFixed(1)} (${floor.seconds.toFixed(1)})`,
        ({ seconds }) => seconds,
      ),
    ),
    "",
    "CPU seconds of the command with all its processes, and the share of them that the no-op program needs too:",
    "",
    table(
      ["", ...sizes, range],
      perStep(
        (measured, floor) => `${measured.cpu.toFixed(1)}, ${share(measured, floor)}`,
        ({ cpu }) => cpu,
      ),
    ),
    "",
    "Requests of the provider:",
    "",
    table(
      ["", ...sizes, range],
      perStep(
        ({ requests }) => requests.length.toLocaleString("en"),
        ({ requests }) => requests.length,
      ),
    ),
    "",
    "Peak memory of the provider process, MiB, and bytes of state an image:",
    "",
    table(
      ["", ...sizes],
      [
        ...stepNames.map(step => [
          `\`${steps[step]}\``,
          ...results.map(({ ours }) => ours[step].peakMiB?.toFixed(0) ?? "-"),
        ]),
        ["state", ...results.map(({ ours }) => String(ours.stateBytes))],
      ],
    ),
    "",
    `The local cloud itself took ${results.map(({ ours }) => `${stepNames.reduce((sum, step) => sum + ours[step].ownCpu, 0).toFixed(1)} s`).join(", ")} of CPU in all four steps; it is in the seconds, not in the CPU seconds.`,
  ];
  const file = join(options.output, "scale.md");
  const text = await readFile(file, "utf8");
  const [before = "", after = ""] = text.split(/<!-- measured -->[\s\S]*<!-- end -->/);
  await writeFile(file, `${before}<!-- measured -->\n${lines.join("\n")}\n<!-- end -->${after}`);
  const panel = (title: string, unit: string, measure: (measured: Measured) => number | undefined): Panel => ({
    title,
    unit,
    lines: stepNames.flatMap(step =>
      (["ours", "noop"] as const).map(who => ({
        name: steps[step],
        dashed: who === "noop",
        points: results.flatMap(({ count, [who]: result }) => {
          const value = measure(result[step]);
          return value === undefined || value <= 0 ? [] : [[count, value] as const];
        }),
      })),
    ),
  });
  await writeFile(
    join(options.output, "scale.svg"),
    panels([
      panel("Time", "s", ({ seconds }) => seconds),
      panel("Requests", "", ({ requests }) => requests.length),
      panel("Provider's peak memory", "MiB", ({ peakMiB }) => peakMiB),
    ]),
  );
}
