/**
 * How the cost grows with the fleet. `node tools/bench/scale.ts --sizes 10,100,1000,10000` measures, and keeps what it has measured in
 * docs/scale.json, from which docs/scale.svg and the tables of docs/scale.md are made.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { startCloud } from "../../test/cloud/cloud.ts";
import { noopFleet, ourFleet, type Step } from "./fleet.ts";
import type { Measured } from "./measuredStack.ts";
import { type Result, scalePicture, scaleTables, type Who } from "./scalePage.ts";

interface Options {
  sizes: string;
  only?: Who;
  checkpoints?: boolean;
  output: string;
}

const options = new Command("scale")
  .description(
    "Measures fleets of several sizes on the local cloud, beside a program of the same size that does nothing.",
  )
  .option("--sizes <counts>", "how many images; without it, only the tables and the picture are made", "")
  .option("--only <who>", "ours or noop")
  .option("--checkpoints", "the state is written after each step, as is usual, not once at the end")
  .option("--output <folder>", "where scale.json, scale.svg and scale.md are", "docs")
  .parse()
  .opts<Options>();

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
  const skippedCheckpoints = !options.checkpoints;
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

async function write(): Promise<void> {
  await writeFile(file("scale.json"), `${JSON.stringify(results, undefined, 2)}\n`);
  const page = await readFile(file("scale.md"), "utf8");
  const [before = "", after = ""] = page.split(/<!-- measured -->[\s\S]*<!-- end -->/);
  await writeFile(file("scale.md"), `${before}<!-- measured -->\n${scaleTables(results)}\n<!-- end -->${after}`);
  await writeFile(file("scale.svg"), scalePicture(results));
}
