/**
 * `npm run model`: lives whole lives of stacks until an invariant breaks, see CONTRIBUTING.md. `IMAGES_MODEL_REPLAY` lives a script again that was
 * printed with a failure.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { ignored } from "./judge.ts";
import { again, type Lived, live } from "./lives.ts";
import { loadProviders } from "./loadedProvider.ts";
import { mutations } from "./mutations.ts";
import { startProviders } from "./processProvider.ts";
import type { Kind } from "./provider.ts";
import { type CloudKind, startBench } from "./services/bench.ts";
import { openService } from "./services/index.ts";
import type { Step } from "./steps.ts";

const { values: options } = parseArgs({
  options: {
    /** How many lives of `steps` steps or more. */
    lives: { type: "string", default: "100" },
    steps: { type: "string", default: "20" },
    /** Of the first life; the next one has the next seed. */
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    service: { type: "string", default: "openstack" },
    cloud: { type: "string", default: "local" },
    /** "loaded" into this process, or a real "process" for each command. */
    provider: { type: "string", default: "loaded" },
    /** How many processes share the lives, each with a cloud of its own. */
    jobs: { type: "string", default: "1" },
    /** No faults, kills and cancels. */
    calm: { type: "boolean", default: false },
    /** Invariants that aren't looked at, by their names, with commas. */
    ignore: { type: "string", default: "" },
    /** Steps that don't come, by their names, with commas. */
    without: { type: "string", default: "" },
    /** The kinds of resources, with commas. Default: all that the service has. */
    kinds: { type: "string" },
    /** Switches a rule off, see mutations.ts, and ends with the first failure, which is then what is wanted. */
    "without-rule": { type: "string" },
    /** Another build of the provider than this folder's own: its dist. */
    dist: { type: "string" },
    /** Tells of each life. */
    verbose: { type: "boolean", default: false },
    /** Ends with the first failure. */
    first: { type: "boolean", default: false },
  },
});
const rule = options["without-rule"];
const replay = process.env.IMAGES_MODEL_REPLAY;
process.env.PULUMI_IMAGES_RETRY_PAUSE_MS = "1";
process.env.PULUMI_IMAGES_STALL_SECONDS = "1";
// What a killed provider had begun ends somewhere.
process.on("unhandledRejection", () => {});
for (const name of options.ignore.split(",").filter(Boolean)) ignored.add(name);

if (Number(options.jobs) > 1) process.exitCode = await share(Number(options.jobs));
else await work();

/** Each job lives lives of its own seeds. @returns 1 where one of them failed */
async function share(jobs: number): Promise<number> {
  const each = Math.ceil(Number(options.lives) / jobs);
  const codes = await Promise.all(
    Array.from({ length: jobs }, async (_, n) => {
      const own = ["--jobs", "1", "--lives", String(each), "--seed", String(Number(options.seed) + n * 100_000)];
      const child = spawn(
        process.execPath,
        [...process.execArgv, import.meta.filename, ...process.argv.slice(2), ...own],
        {
          stdio: "inherit",
        },
      );
      const [code] = await once(child, "close");
      return code as number;
    }),
  );
  return codes.every(code => code === 0) ? 0 : 1;
}

async function work(): Promise<void> {
  const bench = await startBench(options.service as Lived["bench"]["service"], options.cloud as CloudKind);
  const changes = rule === undefined ? [] : mutations[rule]?.changes;
  if (changes === undefined) throw new Error(`there is no rule ${rule}: ${Object.keys(mutations).join(", ")}`);
  const real = options.provider === "process" ? await startProviders() : undefined;
  const start = real?.start ?? (await loadProviders(changes, options.dist));
  const opened = await openService(bench);
  const kinds = (options.kinds?.split(",") as Kind[] | undefined) ?? opened.service.kinds;
  const on: Lived = { bench, start, ids: opened.ids, service: { ...opened.service, kinds } };
  try {
    process.exitCode = replay === undefined ? await lives(on) : await relive(on, JSON.parse(replay) as Step[]);
  } finally {
    await bench.stop();
    await real?.stop();
  }
  process.exit();
}

async function relive(on: Lived, script: Step[]): Promise<number> {
  const { story, broken } = await again(on, script);
  print([...story, broken ?? "nothing broke"].join("\n"));
  return broken === undefined ? 0 : 1;
}

/** @returns 1 where one failed */
async function lives(on: Lived): Promise<number> {
  const begun = Date.now();
  const least = Number(options.steps);
  const seen = new Map<string, number>();
  let [done, short, steps] = [0, 0, 0];
  print(
    `seed ${options.seed}, ${options.lives} lives of ${least} steps or more on ${options.service} (${options.cloud})`,
  );
  for (let seed = Number(options.seed); done < Number(options.lives); seed++) {
    const without = options.without.split(",");
    const life = await live(on, { seed, most: 4 * least, calm: options.calm, without });
    steps += life.steps;
    if (life.steps >= least || life.failure !== undefined) done++;
    else short++;
    if (options.verbose) print(`\nseed ${seed}:\n${indented(life.story)}`);
    if (life.failure === undefined) continue;
    const { message, story, script } = life.failure;
    const invariant = message.split(":")[0] ?? "";
    seen.set(invariant, (seen.get(invariant) ?? 0) + 1);
    print(
      `\nlife ${done + short}, seed ${seed}:\n${indented(story)}\n  IMAGES_MODEL_REPLAY='${JSON.stringify(script)}'`,
    );
    if (options.first || rule !== undefined) break;
  }
  const seconds = Math.round((Date.now() - begun) / 1000);
  const failed = [...seen.values()].reduce((sum, times) => sum + times, 0);
  print(
    `\n${done} lives of ${least} steps or more (and ${short} shorter ones), ${steps} steps, ${seconds} s; ${failed} failed`,
  );
  for (const [invariant, times] of seen) print(`  ${times} x ${invariant}`);
  return failed === 0 ? 0 : 1;
}

function indented(lines: readonly string[]): string {
  return lines.map(line => `  ${line}`).join("\n");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
