import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { environmentOf } from "../openstack/clouds.ts";
import { Stack } from "./stack.ts";

const mebibyte = 2 ** 20;

/** The most memory, in MiB, that the provider process of a stack has held resident. Source: proc(5), VmHWM. */
async function peakOf(folder: string): Promise<number> {
  let peak = 0;
  for (const pid of (await readdir("/proc")).filter(name => /^\d+$/.test(name))) {
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
      if (!command.includes("dynamic-provider")) continue;
      if (!(await readFile(`/proc/${pid}/environ`, "utf8")).includes(folder)) continue;
      const status = await readFile(`/proc/${pid}/status`, "utf8");
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It ended meanwhile.
    }
  }
  return peak;
}

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
      env: environmentOf(cloud.openstack, cloud.openstack.accounts.owner),
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
