import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One run of the bench. */
export interface BenchRun {
  when: string;
  command: string;
  machine: string;
  /** The load average before it. */
  load: string;
  minutes: number;
  /** What is promised, in the order in which it is measured. */
  figures: Figure[];
  /** Everything that was measured, as tables of a page. */
  details: string;
}

export interface Figure {
  what: string;
  aim: string;
  value: string;
}

const begin = "<!-- measured -->";
const end = "<!-- end -->";

export function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map(row => `| ${row.join(" | ")} |`).join("\n");
}

/**
 * Keeps runs in benchmarks.json, and writes them side by side into benchmarks.md, between its marks: what stands around them is written by hand.
 * @param append beside the runs that are there; else instead of them
 */
export async function keepRuns(folder: string, append: boolean): Promise<(run: BenchRun) => Promise<void>> {
  const data = join(folder, "benchmarks.json");
  const page = join(folder, "benchmarks.md");
  const before: BenchRun[] = append ? JSON.parse(await readFile(data, "utf8").catch(() => "[]")) : [];
  return async run => {
    const runs = [...before, run];
    await writeFile(data, `${JSON.stringify(runs, undefined, 2)}\n`);
    const text = await readFile(page, "utf8").catch(() => "# Benchmarks\n");
    const [above = "", below = ""] = text.split(new RegExp(`${begin}[\\s\\S]*${end}`));
    await writeFile(page, `${above.trimEnd()}\n\n${begin}\n${pageOf(runs)}\n${end}${below}`);
  };
}

function pageOf(runs: BenchRun[]): string {
  const figures = new Map(runs.flatMap(run => run.figures.map(({ what, aim }) => [what, aim])));
  const rows = [...figures].map(([what, aim]) => [
    what,
    aim,
    ...runs.map(run => run.figures.find(figure => figure.what === what)?.value ?? "-"),
  ]);
  return [
    ...runs.map(
      ({ when, command, machine, load, minutes }, index) =>
        `- Run ${index + 1}: ${when}, \`${command}\`, ${minutes.toFixed(0)} minutes, ${machine}; load average before it ${load}`,
    ),
    "",
    table(["", "aim", ...runs.map((_, index) => `run ${index + 1}`)], rows),
    ...runs.flatMap(({ details }, index) => ["", `## Run ${index + 1} in full`, "", details.trim()]),
  ].join("\n");
}
