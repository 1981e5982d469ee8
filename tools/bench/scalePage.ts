import type { Step } from "./fleet.ts";
import type { Measured } from "./measuredStack.ts";
import { type Panel, panels } from "./panels.ts";

export type Who = "ours" | "noop";
export type Figures = Omit<Measured, "requests"> & { requests: number };

/** What was measured of fleets of one size. */
export interface Result {
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

const steps: Record<Step, string> = {
  up: "up",
  again: "up, no change",
  refresh: "preview --refresh",
  destroy: "destroy",
};
export const stepNames = Object.keys(steps) as Step[];

const number = (value: number) => value.toLocaleString("en");

/** What a step costs, and how that is shown beside the no-op program's. */
interface Quantity {
  of(figures: Figures): number | undefined;
  cell(ours: Figures, noop: Figures | undefined): string;
}

const quantities = {
  seconds: {
    of: ({ seconds }) => seconds,
    cell: (ours, noop) => `${ours.seconds.toFixed(1)} (${noop?.seconds.toFixed(1) ?? "-"})`,
  },
  cpu: {
    of: ({ cpu }) => cpu,
    cell: (ours, noop) =>
      `${ours.cpu.toFixed(1)}${noop === undefined ? "" : `, ${((noop.cpu / ours.cpu) * 100).toFixed(0)} %`}`,
  },
  requests: { of: ({ requests }) => requests, cell: ({ requests }) => number(requests) },
  provider: { of: ({ peakMiB }) => peakMiB, cell: ({ peakMiB }) => mebibytes(peakMiB) },
  program: {
    of: ({ programMiB }) => programMiB,
    cell: (ours, noop) => `${mebibytes(ours.programMiB)} (${mebibytes(noop?.programMiB)})`,
  },
  engine: {
    of: ({ engineMiB }) => engineMiB,
    cell: (ours, noop) => `${mebibytes(ours.engineMiB)} (${mebibytes(noop?.engineMiB)})`,
  },
} satisfies Record<string, Quantity>;

function mebibytes(value: number | undefined): string {
  return value === undefined ? "-" : number(Math.round(value));
}

/** The tables, as Markdown. */
export function scaleTables(all: readonly Result[]): string {
  const once = all.filter(({ skippedCheckpoints }) => skippedCheckpoints);
  const each = all.filter(({ skippedCheckpoints }) => !skippedCheckpoints);
  const cloudCpu = once.map(({ count, ours }) => {
    const sum = stepNames.reduce((total, step) => total + (ours[step]?.ownCpu ?? 0), 0);
    return `${sum.toFixed(1)} s at ${number(count)}`;
  });
  return [
    "Images without data on the local cloud, the state in a folder. In brackets: a program of as many resources whose provider does nothing. An exponent is that of `cost ~ images^exponent` between two sizes.",
    "",
    "### The state written once, at the end",
    "",
    "With `PULUMI_SKIP_CHECKPOINTS`, see below.",
    "",
    ...started(once),
    "",
    "Seconds of the whole command:",
    "",
    table(once, quantities.seconds),
    "",
    "CPU seconds of the command with all its processes, and the engine's share of them: what the program that does nothing needs, too. These hold on a busy machine, seconds don't:",
    "",
    table(once, quantities.cpu),
    "",
    `The local cloud itself took, in all steps together, ${cloudCpu.join(", ")} of CPU: in the seconds, not in the CPU seconds.`,
    "",
    "Requests:",
    "",
    table(once, quantities.requests),
    "",
    "Peak memory of the provider process, in MiB:",
    "",
    table(once, quantities.provider),
    "",
    "... of the program's:",
    "",
    table(
      once,
      quantities.program,
      stepNames.filter(step => step !== "destroy"),
    ),
    "",
    "... and of the engine's:",
    "",
    table(once, quantities.engine),
    "",
    `Bytes of state an image: ${once.map(({ count, stateBytes }) => `${stateBytes ?? "-"} at ${number(count)}`).join(", ")}.`,
    ...(each.length === 0 ? [] : withEachStep(each)),
  ].join("\n");
}

function withEachStep(results: readonly Result[]): string[] {
  return [
    "",
    "### The state written after each step",
    "",
    "As is usual with a folder or a bucket. Requests and memory are the same.",
    "",
    ...started(results),
    "",
    "Seconds of the whole command:",
    "",
    table(results, quantities.seconds),
    "",
    "CPU seconds, and the engine's share:",
    "",
    table(results, quantities.cpu),
  ];
}

function started(results: readonly Result[]): string[] {
  const one = (who: string, began: { when: string; load: number } | undefined) =>
    began === undefined ? [] : [`${who} ${began.when.slice(0, 16)}Z at a load average of ${began.load}`];
  return results.map(
    ({ count, machine, began }) =>
      `- ${number(count)} images: ${[...one("ours", began.ours), ...one("no-op", began.noop)].join(", ")}; ${machine}`,
  );
}

function table(results: readonly Result[], { of, cell }: Quantity, shown: readonly Step[] = stepNames): string {
  const large = results.filter(({ count }) => count >= 100);
  const pairs = large.slice(1).map((high, at) => [large[at] as Result, high] as const);
  const head = [
    "",
    ...results.map(({ count }) => number(count)),
    ...pairs.map(([low, high]) => `exponent, ${number(low.count)} to ${number(high.count)}`),
  ];
  const rows = shown.map(step => [
    `\`${steps[step]}\``,
    ...results.map(({ ours, noop }) => (ours[step] === undefined ? "-" : cell(ours[step], noop[step]))),
    ...pairs.map(([low, high]) => {
      const [less, more] = [low.ours[step], high.ours[step]].map(figures => figures && of(figures));
      if (less === undefined || more === undefined) return "-";
      return (Math.log(more / less) / Math.log(high.count / low.count)).toFixed(2);
    }),
  ]);
  return [head, head.map(() => "---"), ...rows].map(row => `| ${row.join(" | ")} |`).join("\n");
}

/** The picture, as SVG: of the fleets whose state was written once. */
export function scalePicture(all: readonly Result[]): string {
  const panel = (title: string, unit: string, { of }: Quantity): Panel => ({
    title,
    unit,
    lines: stepNames.flatMap(step =>
      (["ours", "noop"] as const).map(who => ({
        name: steps[step],
        dashed: who === "noop",
        points: all.flatMap(({ count, skippedCheckpoints, [who]: { [step]: figures } }) => {
          const value = skippedCheckpoints && figures ? of(figures) : undefined;
          return value === undefined || value <= 0 ? [] : [[count, value] as const];
        }),
      })),
    ),
  });
  const shown = [
    panel("Time", "s", quantities.seconds),
    panel("CPU time", "s", quantities.cpu),
    panel("Requests", "", quantities.requests),
    panel("Provider's peak memory", "MiB", quantities.provider),
    panel("Program's peak memory", "MiB", quantities.program),
    panel("Engine's peak memory", "MiB", quantities.engine),
  ];
  return panels(shown.filter(({ lines }) => lines.some(({ points }) => points.length > 0)));
}
