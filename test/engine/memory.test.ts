import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { environmentOf } from "../openstack/clouds.ts";
import { peakOf } from "../support/memory.ts";
import { asUsers, Stack } from "./stack.ts";

const mebibyte = 2 ** 20;

describe("Memory of the provider process", () => {
  let cloud: LocalCloud;
  let dir: string;
  before(async function () {
    // Only Linux tells a process's peak.
    if (!existsSync("/proc/self/status")) this.skip();
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-memory-"));
    cloud = await startCloud({ dir, services: ["openstack"] });
  });
  after(async () => {
    await cloud?.stop();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  it("is the same for 256 MiB and for 1 GiB, hashed, sent and compared, and under 200 MiB", async () => {
    const stack = await Stack.create({
      project: "memory",
      env: { ...environmentOf(cloud.openstack, cloud.openstack.accounts.owner), ...asUsers },
    });
    const peaks: number[] = [];
    try {
      for (const size of [256, 1024]) {
        const file = `${size}.raw`;
        await writeFile(join(stack.folder, file), `${Date.now()} ${size}`);
        await truncate(join(stack.folder, file), size * mebibyte);
        let peak = 0;
        let done = false;
        const data = { diskFormat: "raw", containerFormat: "bare", source: { file } };
        const run = stack
          .up([{ kind: "Image", name: file, args: { service: "openstack", name: file, ...data } }])
          .finally(() => {
            done = true;
          });
        while (!done) {
          peak = Math.max(peak, await peakOf(stack.folder));
          await Promise.race([run.catch(() => {}), new Promise(resolve => setTimeout(resolve, 50))]);
        }
        await run;
        peaks.push(Math.round(peak));
      }
    } finally {
      await stack.dispose();
    }
    const [small, large] = peaks as [number, number];
    assert.ok(small > 50 && large < 200, `peaks of ${peaks.join(" and ")} MiB`);
    assert.ok(Math.abs(large - small) <= 20, `peaks of ${peaks.join(" and ")} MiB`);
  });
});
