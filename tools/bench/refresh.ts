import type { OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import { noopStack, ourStack } from "./fleet.ts";
import type { Measured, MeasuredStack } from "./measuredStack.ts";

/**
 * What refreshes: a program that does nothing, whose resources load their provider by one line as ours do; the same as Pulumi's documentation
 * writes it (`pulumi.dynamic.Resource`); images without data; images with data, which have more to say.
 */
export const refreshed = ["noop", "dynamic", "ours", "withData"] as const;

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
  const stacks: Record<(typeof refreshed)[number], MeasuredStack> = {
    noop: await noopStack({ count, env }),
    dynamic: await noopStack({ count, env: { ...env, NOOP_DYNAMIC: "true" } }),
    ours: await ourStack(cloud, { count, env }),
    withData: await ourStack(cloud, { count, env, data: true }),
  };
  try {
    for (const stack of Object.values(stacks)) await stack.up();
    const results: Refreshes = { noop: [], dynamic: [], ours: [], withData: [] };
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
