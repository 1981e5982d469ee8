import { mkdir, mkdtemp, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { installClients } from "../../test/clients/environment.ts";
import { type LocalCloud, startCloud } from "../../test/cloud/cloud.ts";
import type { OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import { CloudProcess } from "../../test/cloud/process.ts";
import { runCommand } from "../command.ts";
import { startOpenStack } from "../openstack/start.ts";
import { pulumiCli } from "../pulumi/cli.ts";
import { copyBetween } from "./copy.ts";
import { driftLook } from "./drift.ts";
import { type FleetResult, noopFleet, ourFleet } from "./fleet.ts";
import { type Limits, measureLimit } from "./limit.ts";

import type { Measured } from "./measuredStack.ts";
import { type Start, type Starting, startOnce } from "./start.ts";
import { clientUpload, curlUpload, diskIn, ourUpload, writeDisk } from "./upload.ts";

interface Options {
  quick?: boolean;
  size: number;
  rounds: number;
  images: number;
  only?: "start" | "limit" | "upload" | "copy" | "fleet" | "drift";
  skipReal?: boolean;
  output: string;
  append?: boolean;
}

const options = new Command("bench")
  .description(
    "Measures uploads, copies and fleets beside curl, the OpenStack clients and the engine alone, and looks for drift.",
  )
  .option("--quick", "less data, fewer images, each once: to see that it runs")
  .option("--size <MiB>", "how much is uploaded", Number, 1024)
  .option("--rounds <count>", "how often each upload is measured", Number, 3)
  .option("--images <count>", "how many images the fleet has", Number, 200)
  .option("--only <part>", "start, limit, upload, copy, fleet or drift")
  .option("--skip-real", "the local cloud only")
  .option("--output <file>", "where the tables go", "docs/benchmarks.md")
  .option("--append", "below what is there")
  .parse()
  .opts<Options>();
const size = options.quick ? Math.min(options.size, 256) : options.size;
const count = options.quick ? Math.min(options.images, 50) : options.images;
const rounds = options.quick ? 1 : options.rounds;
const wants = (part: string) => options.only === undefined || options.only === part;
const say = (line: string) => process.stderr.write(`${line}\n`);
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const rate = (seconds: number, mebibytes: number) => `${((mebibytes * 2 ** 20) / 1e6 / seconds).toFixed(0)} MB/s`;
const load = loadavg()[0]?.toFixed(1);
const lines: string[] = [];
const table = (head: string[], rows: string[][]) =>
  lines.push([head, head.map(() => "---"), ...rows].map(row => `| ${row.join(" | ")} |`).join("\n"), "");

async function uploads(cloud: OpenStackCloud, folder: string): Promise<void> {
  const file = diskIn(folder);
  await writeDisk(file, size);
  const clients = await installClients("current", say).catch(error => {
    lines.push(`The Python clients were not measured: ${(error as Error).message.split("\n")[0]}`, "");
  });
  const times: Record<string, number[]> = {};
  const note = (name: string, seconds: number) => {
    times[name] ??= [];
    times[name].push(seconds);
    say(`${cloud.kind}: ${name} ${seconds.toFixed(2)} s`);
  };
  const peaks: number[] = [];
  let requests = 0;
  // In turns, so that a busy moment of the machine meets all of them.
  for (let round = 0; round < rounds; round++) {
    note("`curl -T`", await curlUpload(cloud, file));
    const ours = await ourUpload(cloud, file);
    note("ours, the data", ours.data);
    note("ours, the whole `pulumi up`", ours.up);
    peaks.push(ours.peakMiB);
    requests = ours.requests;
    if (!clients) continue;
    note("`openstack image create`", await clientUpload(cloud, clients.python, "openstack", file));
    note("openstacksdk `create_image`", await clientUpload(cloud, clients.python, "openstacksdk", file));
  }
  const curl = median(times["`curl -T`"] as number[]);
  lines.push(`### Upload of ${size} MiB to the ${cloud.kind} cloud, median of ${rounds}`, "");
  table(
    ["what", "seconds", "speed", "speed : curl's"],
    Object.entries(times).map(([name, all]) => {
      const seconds = median(all);
      return [name, seconds.toFixed(2), rate(seconds, size), (curl / seconds).toFixed(2)];
    }),
  );
  const large = join(folder, "large.raw");
  await writeFile(large, "disk");
  await truncate(large, 4 * size * 2 ** 20);
  const big = await ourUpload(cloud, large);
  await rm(large);
  const small = Math.max(...peaks);
  lines.push(
    `Provider's peak memory: ${small.toFixed(0)} MiB at ${size} MiB, ${big.peakMiB.toFixed(0)} MiB at ${4 * size} MiB. Requests of the \`up\`: ${requests}.`,
    "",
  );
}

/** What each command pays before the provider can do anything: Pulumi's SDK, then the provider itself. */
async function starts(folder: string): Promise<void> {
  const cache = { NODE_COMPILE_CACHE: join(folder, "compiled") };
  const kinds: [string, Starting, NodeJS.ProcessEnv][] = [
    ["no-op provider", "noop", {}],
    ["ours", "ours", {}],
    ["ours, with `NODE_COMPILE_CACHE`", "ours", cache],
  ];
  const all = kinds.map((): Start[] => []);
  await startOnce("ours", cache);
  for (let round = 0; round < 5; round++)
    for (const [at, [, which, env]] of kinds.entries()) all[at]?.push(await startOnce(which, env));
  lines.push("### Start of the provider process, median of 5", "");
  table(
    ["provider", "Node and Pulumi's SDK listen", "configured, first check answered", "CPU of that", "memory"],
    kinds.map(([name], at) => {
      const of = (what: keyof Start) => median((all[at] as Start[]).map(start => start[what])).toFixed(0);
      return [name, `${of("listening")} ms`, `${of("configured")} ms more`, `${of("cpu")} ms`, `${of("peakMiB")} MiB`];
    }),
  );
}

/** Our own speed, without a service's work: a server in a process of its own counts the bytes, and no more. */
async function limits(folder: string): Promise<void> {
  const file = diskIn(folder);
  await writeDisk(file, size);
  const all: Limits[] = [];
  for (let round = 0; round < rounds; round++) {
    // Its digests aren't known for the file as it is now.
    const { atime, mtimeMs } = await stat(file);
    await utimes(file, atime, new Date(mtimeMs - 60_000));
    all.push(await measureLimit(file, size * 2 ** 20));
    say(`limit: ${JSON.stringify(all.at(-1))}`);
  }
  const of = (what: keyof Limits) => median(all.map(limits => limits[what]));
  const row = (name: string, what: keyof Limits, curl: keyof Limits) => [
    name,
    of(what).toFixed(2),
    rate(of(what), size),
    (of(curl) / of(what)).toFixed(2),
  ];
  lines.push(`### ${size} MiB to and from a server that only counts bytes, median of ${rounds}`, "");
  table(
    ["what", "seconds", "speed", "speed : curl's"],
    [
      row("`curl -T`", "curl", "curl"),
      row("ours, digests known", "ours", "curl"),
      row("ours, with SHA-512 on the way", "hashed", "curl"),
      row("`curl`, download", "curlDown", "curlDown"),
      row("ours, download", "oursDown", "curlDown"),
    ],
  );
}

async function copies(folder: string): Promise<void> {
  // Each in a process of its own: one thread would not keep up with both.
  const [one, two] = await Promise.all(
    ["from", "to"].map(name => CloudProcess.start({ dir: join(folder, name), services: ["openstack"] })),
  );
  stops.push(() => Promise.all([one?.stop(), two?.stop()]).then(() => {}));
  const rows: string[][] = [];
  for (const mebibytes of [size / 2, 2 * size]) {
    const file = diskIn(folder);
    await writeDisk(file, mebibytes);
    const all = await copyBetween(one as CloudProcess, two as CloudProcess, file, rounds);
    const [curl, data, up] = (["curl", "data", "up"] as const).map(key => median(all.map(copy => copy[key])));
    const shown = all.map(copy => `curl | curl ${copy.curl.toFixed(2)} s, ours ${copy.data.toFixed(2)} s`);
    say(`copy of ${mebibytes} MiB: ${shown.join("; ")}`);
    rows.push([
      `${mebibytes} MiB`,
      rate(curl as number, mebibytes),
      rate(data as number, mebibytes),
      ((curl as number) / (data as number)).toFixed(2),
      `${(up as number).toFixed(2)} s`,
      `${Math.max(...all.map(({ peakMiB }) => peakMiB)).toFixed(0)} MiB`,
    ]);
  }
  lines.push(`### Copy from one local cloud to another, median of ${rounds}`, "");
  table(["size", "`curl \\| curl`", "ImageCopy, the data", "speed : curl's", "whole `pulumi up`", "peak memory"], rows);
}

async function fleets(clouds: OpenStackCloud[]): Promise<void> {
  const results: [string, FleetResult][] = [["no-op program", await noopFleet({ count })]];
  for (const cloud of clouds) results.push([`ours, ${cloud.kind} cloud`, await ourFleet(cloud, { count, data: true })]);
  const floor = results[0]?.[1] as FleetResult;
  lines.push(`### ${count} images, once each`, "");
  const cell = (run: FleetResult["up"], base: FleetResult["up"]) =>
    `${run.seconds.toFixed(1)} s (${(run.seconds / base.seconds).toFixed(2)}), CPU ${run.cpu.toFixed(1)} s (${(run.cpu / base.cpu).toFixed(2)}), ${run.requests.length} requests`;
  table(
    ["program", "up", "up again, no change", "preview --refresh", "destroy", "peak memory", "state bytes an image"],
    results.map(([name, { up, again, refresh, destroy, stateBytes }]) => [
      name,
      cell(up, floor.up),
      cell(again, floor.again),
      cell(refresh, floor.refresh),
      cell(destroy, floor.destroy),
      up.peakMiB === undefined ? "-" : `${Math.max(up.peakMiB, refresh.peakMiB ?? 0).toFixed(0)} MiB`,
      String(stateBytes ?? "-"),
    ]),
  );
  lines.push(
    "In brackets: divided by the no-op program's, which is the engine's own. The CPU time is of the command with all its processes; it holds on a busy machine, too.",
    "",
  );
}

/** What this run doesn't do, as it takes another tool than a clone can have. */
const openTofu = [
  "## OpenTofu with the OpenStack provider",
  "",
  "It isn't part of the run. Where both are installed, start the real service by `npm run openstack -- --dir DIR` (it prints the OS_* variables), and compare `time tofu apply -parallelism=16` and `time tofu plan` of",
  "",
  "```hcl",
  "terraform {",
  '  required_providers { openstack = { source = "terraform-provider-openstack/openstack" } }',
  "}",
  'resource "openstack_images_image_v2" "image" {',
  "  count            = 200",
  `  name             = "image-\${count.index}"`,
  '  local_file_path  = "small.raw"',
  '  container_format = "bare"',
  '  disk_format      = "raw"',
  "}",
  "```",
  "",
  "with the table of 200 images in the same hour. OpenTofu 1.12.6 with the provider 3.4.0 sends one GET an image in a plan, and its state has 2,015 bytes an image.",
  "",
];

async function drifts(cloud: OpenStackCloud): Promise<void> {
  const look = await driftLook(cloud, count);
  const { quiet, drifted, report } = look;
  lines.push(`### \`pulumi-images drift\` on ${count} images, ${cloud.kind} cloud, once each`, "");
  const row = (name: string, { seconds, requests }: Measured) => [
    name,
    `${seconds.toFixed(1)} s`,
    String(requests.length),
  ];
  table(
    ["", "time", "requests to the services"],
    [
      row("`pulumi preview --refresh`, no drift", look.preview),
      row("`pulumi-images drift`, no drift", quiet),
      row("`pulumi-images drift`, all five reports", drifted),
    ],
  );
  const { security, availability, metadata, drifted: found } = report.summary;
  lines.push(`It found ${found} drifts: ${security} security, ${availability} availability, ${metadata} metadata.`, "");
}

const folder = await mkdtemp(join(tmpdir(), "pulumi-images-bench-"));
const stops: (() => Promise<void>)[] = [];
try {
  const local = async (name: string): Promise<LocalCloud> => {
    const cloud = await startCloud({ dir: join(folder, name), services: ["openstack"] });
    stops.push(() => cloud.stop());
    return cloud;
  };
  const one = await local("one");
  const clouds: OpenStackCloud[] = [one.openstack];
  if (!options.skipReal) {
    const dir = join(folder, "real");
    await mkdir(dir);
    const real = await startOpenStack({ dir, log: say });
    stops.push(() => real.stop());
    clouds.unshift(real);
  }
  const curlVersion = (await runCommand("curl", ["--version"])).split(" ").slice(0, 2).join(" ");
  const cliVersion = (await runCommand((await pulumiCli()).command, ["version"])).trim();
  lines.push(
    ...(options.append ? ["## Another run", ""] : ["# Benchmarks", "", ...openTofu, "## A run", ""]),
    `Written by \`npm run bench -- ${process.argv.slice(2).join(" ")}\`; run it to measure your machine. It measures dist/, so \`npm run build\` comes first. Numbers of other runs don't compare; the ratios within one run do.`,
    "",
    `${new Date().toISOString()}, ${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.version}, ${curlVersion}, Pulumi ${cliVersion}, Glance 33.0.0 and Keystone 30.0.0 where it says real; load average before the run ${load}.`,
    "",
  );
  const before = options.append ? `${(await readFile(options.output, "utf8")).trimEnd()}\n\n` : "";
  // Written after each part: a run that is ended keeps what it has measured.
  const save = () => writeFile(options.output, before + lines.join("\n"));
  if (wants("start")) {
    await starts(folder);
    await save();
  }
  if (wants("limit")) {
    await limits(folder);
    await save();
  }
  if (wants("upload"))
    for (const cloud of clouds) {
      await uploads(cloud, folder);
      await save();
    }
  if (wants("copy")) {
    await copies(folder);
    await save();
  }
  if (wants("fleet")) {
    await fleets(clouds);
    await save();
  }
  if (wants("drift")) {
    for (const cloud of clouds) await drifts(cloud);
    await save();
  }
  process.stdout.write(lines.join("\n"));
} finally {
  for (const stop of stops.reverse()) await stop();
  await rm(folder, { recursive: true, force: true });
}
