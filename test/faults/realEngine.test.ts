import assert from "node:assert/strict";
import { MatrixBench } from "../engine/matrix/bench.ts";
import { inspect } from "../engine/matrix/inspect.ts";
import { blows, stallSeconds } from "./blows.ts";

/** What can be struck at any request, and ends by itself. */
const passing = blows.flatMap(({ title, suits, lasting, fault }) =>
  suits === undefined && !lasting && fault !== undefined ? [{ title, fault }] : [],
);
const settings = { PULUMI_IMAGES_RETRY_PAUSE_MS: "20", PULUMI_IMAGES_STALL_SECONDS: String(stallSeconds) };

// The points themselves are those of matrix.test.ts: this is for what the engine does between the calls, and for all services at once.
if (process.env.PULUMI_IMAGES_FAULTS === "all") {
  describe("Faults under the real engine, every resource on every service in one run", () => {
    let bench: MatrixBench;
    let at = 0;
    before(async function () {
      this.timeout(900_000);
      Object.assign(process.env, settings);
      bench = await MatrixBench.start("faults");
    });
    after(async function () {
      this.timeout(300_000);
      for (const name of Object.keys(settings)) delete process.env[name];
      await bench.stop();
    });

    for (const turn of ["first", "second", "third"]) {
      it(`end as without them, or with errors and a clean repeat: the ${turn} run`, async function () {
        this.timeout(900_000);
        const changing = await bench.step();
        for (const slot of changing.keys()) {
          const gate = bench.gateOf(slot);
          gate.clear();
          // An offer whose answer is lost needs a hand, see docs/reliability.md.
          const isOffer = slot.subject.service === "digitalocean" && slot.subject.kind === "ImageMember";
          const blow = isOffer ? { fault: () => ({ status: 503 }) } : passing[at % passing.length];
          gate.faults.add({ ...blow?.fault(), skip: Math.floor(at / passing.length) % 5 });
          at++;
        }
        const first = await bench.stack.tryUp(bench.declared(), "--parallel", "500", "--continue-on-error");
        for (const slot of bench.slots) bench.gateOf(slot).faults.clear();
        const errors = first.events.filter(({ resOpFailedEvent }) => resOpFailedEvent !== undefined).length;
        process.stdout.write(`      ${changing.size} resources were struck, ${errors} steps failed\n`);
        if (first.code !== 0) await bench.stack.up(undefined, "--parallel", "500");
        await inspect(bench);
        assert.ok(errors < changing.size / 2, first.text);
      });
    }
  });
}
