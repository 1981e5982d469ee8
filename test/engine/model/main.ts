/** `npm run model`: see CONTRIBUTING.md. */
import { parseArgs } from "node:util";
import { ignored } from "./judge.ts";
import { type Lived, live } from "./lives.ts";
import { loadProviders } from "./loadedProvider.ts";
import { mutations } from "./mutations.ts";
import { type CloudKind, startBench } from "./services/bench.ts";
import { openService } from "./services/index.ts";

const { values: options } = parseArgs({
  options: {
    lives: { type: "string", default: "100" },
    /** The most steps of a life; half as many on the average. */
    steps: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    service: { type: "string", default: "openstack" },
    cloud: { type: "string", default: "local" },
    /** No faults, kills and cancels. */
    calm: { type: "boolean", default: false },
    /** Invariants that aren't looked at, by their names, with commas. */
    ignore: { type: "string", default: "" },
    /** Steps that don't come, by their names, with commas. */
    without: { type: "string", default: "" },
    /** Switches a rule off, see mutations.ts: the first failure is then what is wanted. */
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
process.env.PULUMI_IMAGES_RETRY_PAUSE_MS = "1";
process.env.PULUMI_IMAGES_STALL_SECONDS = "1";
// What a killed provider had begun ends somewhere.
process.on("unhandledRejection", () => {});

for (const name of options.ignore.split(",").filter(Boolean)) ignored.add(name);
const changes = rule === undefined ? [] : mutations[rule]?.changes;
if (changes === undefined) throw new Error(`there is no rule ${rule}: ${Object.keys(mutations).join(", ")}`);
const bench = await startBench(options.service as Lived["bench"]["service"], options.cloud as CloudKind);
const on: Lived = { bench, start: await loadProviders(changes, options.dist), ...(await openService(bench)) };
const seed = Number(options.seed);
const begun = Date.now();
let steps = 0;
let long = 0;
const seen = new Map<string, number>();
process.stdout.write(`seed ${seed}, ${options.lives} lives on ${options.service} (${options.cloud})\n`);
for (let n = 0; n < Number(options.lives); n++) {
  const life = await live(on, {
    seed: seed + n,
    most: Number(options.steps),
    calm: options.calm,
    without: options.without.split(","),
  });
  steps += life.steps;
  if (n % 25 === 24)
    process.stderr.write(`${n + 1} lives, ${steps} steps, ${Math.round(process.cpuUsage().user / 1e6)} s of CPU\n`);
  if (life.steps >= 20) long++;
  if (options.verbose) process.stdout.write(`\nlife ${n + 1}:\n${life.story.map(line => `  ${line}`).join("\n")}\n`);
  if (life.failure === undefined) continue;
  const { message, story, script } = life.failure;
  const invariant = message.split(":")[0] ?? "";
  seen.set(invariant, (seen.get(invariant) ?? 0) + 1);
  process.stdout.write(`\nlife ${n + 1}, seed ${seed + n}:\n${story.map(line => `  ${line}`).join("\n")}\n`);
  process.stdout.write(`  ${JSON.stringify(script)}\n`);
  if (options.first || rule !== undefined) break;
}
const seconds = Math.round((Date.now() - begun) / 1000);
process.stdout.write(
  `\n${options.lives} lives, ${long} of them of 20 steps or more, ${steps} steps in ${seconds} s; ${[...seen.values()].reduce((sum, n) => sum + n, 0)} failed\n`,
);
for (const [invariant, times] of seen) process.stdout.write(`  ${times} x ${invariant}\n`);
await bench.stop();
process.exit(seen.size === 0 ? 0 : 1);
