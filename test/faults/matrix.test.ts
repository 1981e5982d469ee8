import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { emptyCloudOf } from "../openstack/clouds.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { digitalOceanPlace } from "./digitalocean.ts";
import { divvyCloudPlace } from "./divvycloud.ts";
import { glanceV1Place } from "./glanceV1.ts";
import { Matrix, type Outcome, type Point } from "./matrix.ts";
import type { Place } from "./place.ts";
import { eclPlace, istackPlace, openStackPlace } from "./sites.ts";

const disk = Uint8Array.from(noise("faults", 200_000));

/** All points with PULUMI_IMAGES_FAULTS=all (npm run faults), one in so many with a number; else a few, always the same ones. */
const share = process.env.PULUMI_IMAGES_FAULTS ?? "";
const everything = share === "all";

/** Points that once went wrong, or that the provider once didn't get over by itself: always tried, and got over. */
const regressions = [
  /.*Image imported: create: POST .*\/import: (reset|served, the answer lost)/,
  /.*ImageCopy to stores: create: POST .*\/import: served, the answer lost/,
  /istack Image from a file: update: PATCH .*: served, the answer lost/,
  /istack Image from a url: update: POST \/v3\/auth\/tokens: 401/,
  /.*Image at a location: create: PUT .*: served, and 504/,
  /.*ImageCopy to a tenant: create: POST .*jobs: served, the answer lost/,
  /.*Image from a droplet: create: POST \/v2\/droplets\/N\/actions: served, the answer lost/,
  /.*Image from a backup: create: POST .*\/actions: served, the answer lost/,
  /.*ImageCopy to regions: create: POST .*\/actions: served, the answer lost/,
];
/** Those that end with an error, and once didn't end well when repeated. */
const repeated = [
  /digitalocean Image from a url: delete: DELETE \/v2\/tags\/MARK: 503 for ever/,
  /digitalocean Image from a url: delete: GET \/v2\/images\/N \(2\): 401/,
  /digitalocean ImageMember: create: POST .*account_transfer: served, the answer lost/,
  /glance-v1 Image at a location: create: PUT .*: 503 for ever/,
];
const matches = (list: RegExp[], title: string) =>
  list.some(pattern => pattern.exec(title)?.[0].length === title.length);

interface Row {
  title: string;
  oneIn: number;
  open: () => Promise<Place>;
}

describe("Faults", () => {
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;
  let matrix: Matrix;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-faults-"));
    const project = join(dir, "project");
    await mkdir(project);
    await writeFile(join(project, "Pulumi.yaml"), "name: faults\nruntime: nodejs\n");
    await symlink(join(import.meta.dirname, "..", "..", "node_modules"), join(project, "node_modules"));
    const fast = { taskTime: 20 };
    cloud = await startCloud({
      dir: join(dir, "cloud"),
      services: ["ecl", "istack", "glance-v1", "digitalocean", "divvycloud"],
      settings: {
        digitalocean: { ...fast, requestsPerHour: 1e9, requestsPerMinute: 1e9 },
        divvycloud: fast,
        ecl: { copyStep: 5 },
      },
    });
    files = await startFileServer();
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' } });
    matrix = await Matrix.start(project, disk);
  });
  after(async () => {
    await matrix.stop();
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const rows: Row[] = [
    {
      title: "the local OpenStack",
      oneIn: 11,
      open: async () => openStackPlace(await emptyCloudOf("local"), disk, files.url),
    },
    {
      title: "the real OpenStack",
      oneIn: 97,
      open: async () => openStackPlace(await emptyCloudOf("real"), disk, files.url),
    },
    { title: "ECL", oneIn: 11, open: () => eclPlace(cloud, disk, files.url) },
    { title: "istack", oneIn: 11, open: () => istackPlace(cloud, disk, files.url) },
    { title: "Glance v1", oneIn: 11, open: () => glanceV1Place(cloud, disk, files.url) },
    { title: "DigitalOcean", oneIn: 11, open: async () => digitalOceanPlace(cloud, files.url) },
    { title: "DivvyCloud", oneIn: 11, open: async () => divvyCloudPlace(cloud) },
  ];

  for (const { title, oneIn, open } of rows) {
    it(`on ${title}: the same end as without the fault, or a clear error and a clean repeat`, async function () {
      this.timeout(share === "" ? 300_000 : 3_600_000);
      const all = await matrix.points(await open());
      const points = everything
        ? strewn(all)
        : all.filter(
            (point, index) =>
              index % (Number(share) || oneIn) === 0 || matches([...regressions, ...repeated], matrix.titleOf(point)),
          );
      const outcomes = await matrix.run(points, note);
      for (const outcome of outcomes)
        if (outcome.how !== "held" && matches(regressions, outcome.title)) outcome.wrong ??= "it wasn't got over";
      const wrong = outcomes.filter(outcome => outcome.wrong !== undefined);
      // What is polled may be ready at once; more than a few say that the points aren't the requests any more.
      const missed = outcomes.filter(({ how }) => how === "not met").length;
      report(title, all, outcomes);
      assert.ok(missed <= Math.max(10, points.length / 20), `${missed} points weren't met`);
      assert.equal(wrong.length, 0, wrong.map(shown).join("\n\n"));
    });
  }

  it("leave no word of an unhandled error in the provider's process", () => {
    assert.doesNotMatch(matrix.said, /Unhandled|unhandled|Warning:/);
  });
});

function shown({ title, wrong, error, story }: Outcome): string {
  return [title, wrong, ...(error === undefined ? [] : [`the error: ${error}`]), ...story].join("\n    ");
}

/** In an order that tries some of everything first, so that a run that is ended early says something of all. */
function strewn(points: readonly Point[]): Point[] {
  const step = 7919;
  const at = (index: number) => (index * step) % points.length;
  const order = points.map((_, index) => at(index));
  return new Set(order).size === points.length ? order.map(index => points[index] as Point) : [...points];
}

/** A line of JSON for each point, where a whole run is to be looked into. */
function note(outcome: Outcome): void {
  const log = process.env.PULUMI_IMAGES_FAULTS_LOG;
  if (log) appendFileSync(log, `${JSON.stringify(outcome)}\n`);
}

/** One line a service, where the reader of a whole run finds it. */
function report(title: string, all: readonly Point[], outcomes: readonly Outcome[]): void {
  const count = (wanted: Outcome["how"]) => outcomes.filter(({ how }) => how === wanted).length;
  const counts = `${count("held")} held, ${count("repeated")} repeated after an error, ${count("not met")} not met`;
  process.stdout.write(`      ${outcomes.length} of ${all.length} points on ${title}: ${counts}\n`);
}
