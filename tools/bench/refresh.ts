import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import { noopStack, ourStack } from "./fleet.ts";
import type { Measured, MeasuredStack } from "./measuredStack.ts";

/**
 * What refreshes: a program that does nothing, whose resources load their provider by one line as ours do; the same as Pulumi's documentation
 * writes it (`pulumi.dynamic.Resource`); images without data; images with data, which have more to say; and a program that does
 * nothing whose resources say as much.
 */
export const refreshed = ["noop", "dynamic", "ours", "withData", "like"] as const;

export type Refreshes = Record<(typeof refreshed)[number], Measured[]>;

/**
 * `preview --refresh` of as many resources of each kind, in turns, so that a busy moment of the machine meets all of them. Their `up`s write
 * the state once at the end: they are not what is measured.
 */
export async function compareRefresh(
  cloud: OpenStackCloud,
  { count, rounds }: { count: number; rounds: number },
  say: (line: string) => void,
): Promise<Refreshes> {
  const env = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };
  const withData = await ourStack(cloud, { count, env, data: true });
  const like = join(withData.stack.folder, "like.json");
  const stacks: Record<(typeof refreshed)[number], MeasuredStack> = {
    withData,
    noop: await noopStack({ count, env }),
    dynamic: await noopStack({ count, env: { ...env, NOOP_DYNAMIC: "true" } }),
    ours: await ourStack(cloud, { count, env }),
    like: await noopStack({ count, env: { ...env, NOOP_LIKE: like } }),
  };
  try {
    await withData.up();
    await writeFile(like, JSON.stringify(Object.values(await withData.stack.state())[0]));
    for (const stack of Object.values(stacks)) if (stack !== withData) await stack.up();
    const results: Refreshes = { noop: [], dynamic: [], ours: [], withData: [], like: [] };
    for (let round = 0; round < rounds; round++) {
      for (const name of refreshed) {
        const measured = await stacks[name].previewRefresh();
        results[name].push(measured);
        const { seconds, cpu, requests } = measured;
        say(`${count} ${name}: ${seconds.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, ${requests.length} requests`);
      }
    }
    return results;
  } finally {
    for (const stack of Object.values(stacks)) await stack.dispose();
  }
}
