import assert from "node:assert/strict";
import { MatrixBench } from "./matrix/bench.ts";
import { inspect, noted } from "./matrix/inspect.ts";
import { killAt, type Point, refresh, repeat } from "./matrix/kill.ts";
import { subjects } from "./matrix/subjects.ts";

/** Points of the kill matrix at which defects were found, or most is at stake; `npm run killmatrix` tries all. */
const points: Point[] = [
  // Data is on its way, and images are there that the state knows nothing of.
  { part: "make", request: 2, side: "before", victim: "engine" },
  { part: "make", request: 2, side: "after", victim: "provider" },
];

describe("a killed up", () => {
  let bench: MatrixBench;
  const repeatable = subjects.filter(({ unrepeatable }) => unrepeatable === undefined);

  before(async function () {
    this.timeout(300_000);
    bench = await MatrixBench.start("killed", repeatable);
    await inspect(bench);
  });
  after(() => bench.stop());

  for (const point of points) {
    const { part, request, side, victim } = point;
    it(`${victim}, ${side} request ${request + 1} to ${part} each kind of resource: the next up makes it all right`, async function () {
      this.timeout(300_000);
      const struck = await killAt(bench, point);
      assert.ok(struck.length > 10, `${struck.length} resources were at their request`);
      await repeat(bench);
      await inspect(bench);
    });
  }

  it("leaves nothing that a refresh shows", async function () {
    this.timeout(300_000);
    await refresh(bench);
    await noted(bench, true);
  });
});
