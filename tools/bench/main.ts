import { mkdir, mkdtemp, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { installClients } from "../../test/clients/environment.ts";
import { type LocalCloud, startCloud } from "../../test/cloud/cloud.ts";
import type { OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import { CloudProcess } from "../../test/cloud/process.ts";
import { runCommand } from "../command.ts";
import { startOpenStack } from "../openstack/start.ts";
import { pulumiCli } from "../pulumi/cli.ts";
import { copyBetween } from "./copy.ts";
import { compareDownload, type Downloads } from "./download.ts";
import { driftLook } from "./drift.ts";
import { type FleetResult, noopFleet, ourFleet } from "./fleet.ts";
import { type Limits, measureLimit } from "./limit.ts";

import type { Measured } from "./measuredStack.ts";
import { type Figure, keepRuns, table } from "./page.ts";
import { compareRefresh, type Refreshes, refreshed } from "./refresh.ts";
import { type Start, type Starting, startOnce } from "./start.ts";
import { type Addressed, clientUpload, curlUpload, diskIn, ourUpload, settled, writeDisk } from "./upload.ts";

const parts = ["start", "limit", "upload", "download", "copy", "fleet", "refresh", "drift"] as const;
type Part = (typeof parts)[number];

interface Options {
  quick?: boolean;
  size: number;
  rounds: number;
  images: number;
  only?: Part[];
  skipReal?: boolean;
  output: string;
  append?: boolean;
}

const options = new Command("bench")
  .description(
    "Measures uploads, downloads, copies and fleets beside curl, the OpenStack clients and the engine alone, and looks for drift.",
  )
  .option("--quick", "less data, fewer images, each once: to see that it runs")
  .option("--size <MiB>", "how much is uploaded", Number, 1024)
  .option("--rounds <count>", "how often each is measured", Number, 5)
  .option(
    "--images <count>",
    "how many images the fleet has; a refresh is measured of five times as many, too",
    Number,
    200,
  )
  .addOption(new Option("--only <parts...>", "not everything").choices(parts))
  .option("--skip-real", "the local cloud only")
  .option("--output <folder>", "where benchmarks.md and benchmarks.json are", "docs")
  .option("--append", "beside the runs that are there, instead of in their place")
  .parse()
  .opts<Options>();
const size = options.quick ? Math.min(options.size, 256) : options.size;
const count = options.quick ? Math.min(options.images, 50) : options.images;
const rounds = options.quick ? 1 : options.rounds;
const wants = (part: Part) => options.only === undefined || options.only.includes(part);
const say = (line: string) => process.stderr.write(`${line}\n`);
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
/** How many times as long they need: of each round by itself, as the machine's own speed changes from minute to minute, then the median. */
const versus = (theirs: number[], ours: number[]) =>
  median(theirs.map((seconds, round) => seconds / (ours[round] as number))).toFixed(2);
const each = (all: number[]) => all.map(seconds => seconds.toFixed(2)).join(", ");
/** Bytes a second: of a network of 2 Gbit/s. */
const networkSpeed = 250e6;
const rate = (seconds: number, mebibytes: number) => `${((mebibytes * 2 ** 20) / 1e6 / seconds).toFixed(0)} MB/s`;
const load = loadavg()[0]?.toFixed(1) as string;
const began = Date.now();
const lines: string[] = [];
const figures: Figure[] = [];
const promise = (what: string, aim: string, value: string) => figures.push({ what, aim, value });
const put = (head: string[], rows: string[][]) => lines.push(table(head, rows), "");

async function uploads(cloud: Addressed, folder: string): Promise<void> {
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
    await settled();
    note("`curl -T`", await curlUpload(cloud, file));
    await settled();
    const ours = await ourUpload(cloud, file);
    note("ours, the data", ours.data);
    note("ours, the whole `pulumi up`", ours.up);
    peaks.push(ours.peakMiB);
    requests = ours.requests;
    if (!clients) continue;
    await settled();
    note("`openstack image create`", await clientUpload(cloud, clients.python, "openstack", file));
    await settled();
    note("openstacksdk `create_image`", await clientUpload(cloud, clients.python, "openstacksdk", file));
  }
  const [curl, ours, whole] = ["`curl -T`", "ours, the data", "ours, the whole `pulumi up`"].map(
    name => times[name] as number[],
  ) as [number[], number[], number[]];
  lines.push(`### Upload of ${size} MiB to the ${cloud.kind} cloud, median of ${rounds}`, "");
  put(
    ["what", "seconds", "speed", "speed : curl's", "seconds of each round"],
    Object.entries(times).map(([name, all]) => {
      const seconds = median(all);
      return [name, seconds.toFixed(2), rate(seconds, size), versus(curl, all), each(all)];
    }),
  );
  promise(`upload of ${size} MiB, ${cloud.kind} cloud: speed : curl's`, ">= 0.95", versus(curl, ours));
  for (const name of ["`openstack image create`", "openstacksdk `create_image`"]) {
    const theirs = times[name];
    if (theirs === undefined) continue;
    promise(
      `upload, ${cloud.kind} cloud: ${name}'s time : ours, the data (the whole \`pulumi up\`)`,
      "> 1",
      `${versus(theirs, ours)} (${versus(theirs, whole)})`,
    );
  }
  const large = join(folder, "large.raw");
  await writeFile(large, "disk");
  await truncate(large, 4 * size * 2 ** 20);
  const big = await ourUpload(cloud, large);
  await rm(large);
  const small = Math.max(...peaks);
  promise(`upload, ${cloud.kind} cloud: requests of the \`pulumi up\`, the token's included`, "<= 5", String(requests));
  promise(
    `upload, ${cloud.kind} cloud: the provider's peak memory at ${size} and at ${4 * size} MiB`,
    "flat",
    `${small.toFixed(0)} and ${big.peakMiB.toFixed(0)} MiB`,
  );
}

async function downloads(cloud: Addressed, folder: string): Promise<void> {
  const file = diskIn(folder);
  await writeDisk(file, size);
  for (const network of [undefined, networkSpeed]) {
    // One is enough to show what a network leaves of it.
    if (network !== undefined && cloud.kind === "real") continue;
    const all = await compareDownload(cloud, file, folder, rounds, network);
    const from = `${cloud.kind} cloud${network === undefined ? "" : ` behind a network of ${network / 1e6} MB/s`}`;
    say(`download, ${from}: ${JSON.stringify(all)}`);
    const of = (what: keyof Downloads) => all.map(downloads => downloads[what]);
    promise(`download of ${size} MiB into a file, ${from}: speed : curl's`, ">= 0.95", versus(of("curl"), of("data")));
    promise(
      `download of ${size} MiB into a file, ${from}: speed : that of curl and \`sha512sum\`, which do the same`,
      "> 1",
      versus(of("hashed"), of("data")),
    );
    lines.push(`### Download of ${size} MiB from the ${from} into a file, median of ${rounds}`, "");
    const row = (name: string, what: keyof Downloads) => {
      const seconds = median(of(what));
      return [name, seconds.toFixed(2), rate(seconds, size), versus(of("curl"), of(what)), each(of(what))];
    };
    put(
      ["what", "seconds", "speed", "speed : curl's", "seconds of each round"],
      [
        row("`curl -o`", "curl"),
        row("`curl \\| tee \\| sha512sum`", "hashed"),
        row("ours, the data, hashed", "data"),
        row("ours, the whole `pulumi-images download`, the file on the disk", "command"),
      ],
    );
  }
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
  put(
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
  const of = (what: keyof Limits) => all.map(limits => limits[what]);
  const row = (name: string, what: keyof Limits, curl: keyof Limits) => [
    name,
    median(of(what)).toFixed(2),
    rate(median(of(what)), size),
    versus(of(curl), of(what)),
  ];
  promise("upload to a server that only counts bytes", "1 GB/s", rate(median(of("ours")), size));
  promise("download from a server that only sends bytes", "1 GB/s", rate(median(of("oursDown")), size));
  lines.push(`### ${size} MiB to and from a server that only counts bytes, median of ${rounds}`, "");
  put(
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
    const of = (key: "curl" | "data" | "up") => all.map(copy => copy[key]);
    const shown = all.map(copy => `curl | curl ${copy.curl.toFixed(2)} s, ours ${copy.data.toFixed(2)} s`);
    say(`copy of ${mebibytes} MiB: ${shown.join("; ")}`);
    const ratio = versus(of("curl"), of("data"));
    promise(`copy of ${mebibytes} MiB from cloud to cloud: speed : \`curl \\| curl\`'s`, ">= 0.95", ratio);
    rows.push([
      `${mebibytes} MiB`,
      rate(median(of("curl")), mebibytes),
      rate(median(of("data")), mebibytes),
      ratio,
      `${median(of("up")).toFixed(2)} s`,
      `${Math.max(...all.map(({ peakMiB }) => peakMiB)).toFixed(0)} MiB`,
    ]);
  }
  lines.push(`### Copy from one local cloud to another, median of ${rounds}`, "");
  put(["size", "`curl \\| curl`", "ImageCopy, the data", "speed : curl's", "whole `pulumi up`", "peak memory"], rows);
}

async function fleets(clouds: OpenStackCloud[]): Promise<void> {
  const results: [string, FleetResult][] = [["no-op program", await noopFleet({ count })]];
  for (const cloud of clouds) results.push([`ours, ${cloud.kind} cloud`, await ourFleet(cloud, { count, data: true })]);
  const floor = results[0]?.[1] as FleetResult;
  for (const [name, { up, again, stateBytes, ownBytes }] of results.slice(1)) {
    const writes = again.requests.filter(({ method, path }) => method !== "GET" && !path.endsWith("/tokens")).length;
    promise(
      `${count} images with data, ${name.slice(6)}: requests an image, made`,
      "<= 4",
      ((up.requests.length - 1) / count).toFixed(2),
    );
    promise(`${count} images with data, ${name.slice(6)}: writes of an \`up\` without a change`, "0", String(writes));
    promise(
      `${count} images with data, ${name.slice(6)}: bytes of state an image, its inputs and outputs (with the engine's own)`,
      "< 2,000",
      `${ownBytes?.toFixed(0)} (${stateBytes})`,
    );
  }
  lines.push(`### ${count} images, once each`, "");
  const cell = (run: FleetResult["up"], base: FleetResult["up"]) =>
    `${run.seconds.toFixed(1)} s (${(run.seconds / base.seconds).toFixed(2)}), CPU ${run.cpu.toFixed(1)} s (${(run.cpu / base.cpu).toFixed(2)}), ${run.requests.length} requests`;
  put(
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

async function refreshes(cloud: OpenStackCloud): Promise<void> {
  const names: Record<(typeof refreshed)[number], string> = {
    noop: "no-op program",
    dynamic: "no-op program, by `pulumi.dynamic.Resource`",
    ours: "images",
    withData: "images with data",
    like: "no-op program whose resources say as much as images with data",
  };
  for (const images of [count, 5 * count]) {
    const results = await compareRefresh(cloud, { count: images, rounds }, say);
    const of = (who: keyof Refreshes, what: "seconds" | "cpu") => results[who].map(measured => measured[what]);
    const ratio = (who: keyof Refreshes, floor: keyof Refreshes) =>
      (["cpu", "seconds"] as const).map(what => versus(of(who, what), of(floor, what))) as [string, string];
    const shown = images.toLocaleString("en");
    const requests = (who: keyof Refreshes) => results[who][0]?.requests.length ?? 0;
    for (const who of ["ours", "withData"] as const) {
      const [cpu, seconds] = ratio(who, "noop");
      promise(
        `\`preview --refresh\` of ${shown} ${names[who]} : the no-op program's, CPU time (clock)`,
        "<= 1.3",
        `${cpu} (${seconds})`,
      );
    }
    const [cpu, seconds] = ratio("withData", "like");
    promise(
      `\`preview --refresh\` of ${shown} images with data : a no-op program's whose resources say as much, CPU time (clock)`,
      "<= 1.3",
      `${cpu} (${seconds})`,
    );
    promise(
      `\`preview --refresh\` of ${shown}: requests`,
      `<= ${2 * Math.ceil(images / 100)} + a constant`,
      String(requests("withData")),
    );
    lines.push(`### \`preview --refresh\` of ${shown}, ${cloud.kind} cloud, in turns, median of ${rounds}`, "");
    put(
      ["", "CPU time", "clock", "CPU : no-op", "clock : no-op", "requests", "peak memory"],
      refreshed.map(who => [
        names[who],
        `${median(of(who, "cpu")).toFixed(1)} s`,
        `${median(of(who, "seconds")).toFixed(1)} s`,
        ...ratio(who, "noop"),
        String(requests(who)),
        `${Math.max(...results[who].map(({ peakMiB }) => peakMiB ?? 0)).toFixed(0)} MiB`,
      ]),
    );
  }
}

async function drifts(cloud: OpenStackCloud): Promise<void> {
  const look = await driftLook(cloud, count);
  const { quiet, drifted, report } = look;
  lines.push(`### \`pulumi-images drift\` on ${count} images, ${cloud.kind} cloud, once each`, "");
  const row = (name: string, { seconds, requests }: Measured) => [
    name,
    `${seconds.toFixed(1)} s`,
    String(requests.length),
  ];
  put(
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
  const keep = await keepRuns(options.output, options.append ?? false);
  const machine = `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.version}, ${curlVersion}, Pulumi ${cliVersion}, Glance 33.0.0 and Keystone 30.0.0 as the real cloud`;
  // Written after each part: a run that is ended keeps what it has measured.
  const save = () =>
    keep({
      when: new Date(began).toISOString(),
      command: ["npm run bench", ...(process.argv.length > 2 ? ["--", ...process.argv.slice(2)] : [])].join(" "),
      machine,
      load,
      minutes: (Date.now() - began) / 60_000,
      figures,
      details: lines.join("\n"),
    });
  const run = async (part: Part, work: () => Promise<void>) => {
    if (!wants(part)) return;
    await work();
    say(`${part}: done after ${((Date.now() - began) / 60_000).toFixed(1)} minutes`);
    await save();
  };
  // What carries much data has a local cloud in a process of its own: this one has curl and the clients to look after.
  let apart: Promise<CloudProcess> | undefined;
  const addressed = async (cloud: OpenStackCloud): Promise<Addressed> => {
    if (cloud.kind === "real") return cloud;
    apart ??= CloudProcess.start({ dir: join(folder, "apart"), services: ["openstack"], durable: false }).then(own => {
      stops.push(() => own.stop());
      return own;
    });
    return { kind: "local", ...(await apart).services.openstack };
  };
  const onEach = (work: (cloud: Addressed) => Promise<void>) => async () => {
    for (const cloud of clouds) await work(await addressed(cloud));
  };
  await run("start", () => starts(folder));
  await run("limit", () => limits(folder));
  await run(
    "upload",
    onEach(cloud => uploads(cloud, folder)),
  );
  await run(
    "download",
    onEach(cloud => downloads(cloud, folder)),
  );
  await run("copy", () => copies(folder));
  await run("fleet", () => fleets(clouds));
  await run("refresh", () => refreshes(one.openstack));
  await run("drift", () => drifts(one.openstack));
} finally {
  for (const stop of stops.reverse()) await stop();
  await rm(folder, { recursive: true, force: true });
}
