import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { MatrixBench } from "./matrix/bench.ts";
import { inspect, noted } from "./matrix/inspect.ts";
import { killAt, type Point, refresh, repeat, type Victim } from "./matrix/kill.ts";
import { killAndRepeat, repeat as repeatSmall } from "./matrix/killSmall.ts";
import { SmallEngine } from "./matrix/smallEngine.ts";
import { subjects } from "./matrix/subjects.ts";

/** Decides on the point that is tried besides: another one on each day. To repeat a day's, give its date. */
const day = process.env.IMAGES_TEST_KILLS || new Date().toISOString().slice(0, 10);

/** Requests that many resources come to, by what is done to them. */
const reached = { make: 4, remove: 2 } as const;

/** A point of a day's: the same whenever it is asked for. */
function pointOf(victim: Victim): Point {
  const [part = 0, request = 0, side = 0] = createHash("sha256").update(`${day} ${victim}`).digest();
  // There is more to be made than to be removed.
  const which = part % 3 === 0 ? "remove" : "make";
  return { part: which, request: request % reached[which], side: side % 2 === 0 ? "before" : "after", victim };
}

/** Points of the kill matrix at which defects were found, or most is at stake; `npm run killmatrix` tries all. */
const points: Point[] = [
  // Data is on its way, and images are there that the state knows nothing of.
  { part: "make", request: 2, side: "before", victim: "engine" },
  { part: "make", request: 2, side: "after", victim: "provider" },
];

const titleOf = ({ victim, side, request, part }: Point) =>
  `${victim}, ${side} request ${request + 1} to ${part} each kind of resource`;

describe("a killed up", () => {
  let bench: MatrixBench;

  before(async function () {
    this.timeout(300_000);
    bench = await MatrixBench.start("killed", subjects);
    await inspect(bench);
  });
  after(() => bench.stop());

  for (const point of points) {
    it(`${titleOf(point)}: the next up makes it all right`, async function () {
      this.timeout(300_000);
      const struck = await killAt(bench, point);
      assert.ok(struck.length > 10, `${struck.length} resources were at their request`);
      const warnings = await repeat(bench);
      await inspect(bench, undefined, warnings);
    });
  }

  it("leaves nothing that a refresh shows", async function () {
    this.timeout(300_000);
    await refresh(bench);
    await noted(bench, true);
  });
});

describe(`a killed cloud (IMAGES_TEST_KILLS=${day})`, () => {
  let bench: MatrixBench;
  let engine: SmallEngine;
  const point = pointOf("cloud");

  before(async function () {
    this.timeout(300_000);
    // One of each kind on each service.
    const kinds = new Map(subjects.toReversed().map(subject => [`${subject.service} ${subject.kind}`, subject]));
    bench = await MatrixBench.prepare("killed-cloud", [...kinds.values()]);
    engine = new SmallEngine(bench);
    await repeatSmall(bench, engine);
  });
  after(() => bench.stop());

  it(`${titleOf(point)}: the next run makes it all right`, async function () {
    this.timeout(300_000);
    const struck = await killAndRepeat(bench, engine, point);
    assert.ok(struck.length > 5, `${struck.length} resources were at their request`);
  });
});
