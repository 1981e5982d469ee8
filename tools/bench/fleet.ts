import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import type { Declared } from "../../test/engine/stack.ts";
import { connectionOf } from "../../test/openstack/clouds.ts";
import { type Measured, MeasuredStack } from "./measuredStack.ts";

export interface FleetResult {
  up: Measured;
  again: Measured;
  refresh: Measured;
  destroy: Measured;
  /** Bytes of the state for each resource; of ours only. */
  stateBytes?: number;
}

export interface FleetOptions {
  count: number;
  /** Each image with a file of 4 KiB; else without any data. */
  data?: boolean;
  env?: NodeJS.ProcessEnv;
  /** Told of each step as soon as it is done: a run of thousands may be ended early. */
  note?(step: Step, measured: Measured, stateBytes?: number): Promise<void>;
}

export type Step = "up" | "again" | "refresh" | "destroy";

/** What the engine needs for as many resources whose provider does nothing. */
export async function noopFleet({ count, env, note }: FleetOptions): Promise<FleetResult> {
  const program = join(import.meta.dirname, "noop");
  const counted = { NOOP_COUNT: String(count), NOOP_PROVIDER: join(program, "provider.cjs") };
  return await fleet(await MeasuredStack.create({ program, env: { ...counted, ...env } }), note);
}

export async function ourFleet(cloud: OpenStackCloud, { count, data, env, note }: FleetOptions): Promise<FleetResult> {
  const connections = { lab: connectionOf(cloud, cloud.accounts.owner) };
  const config = { "images:connections": connections };
  // As a user's program, and as the one beside it: what it costs counts.
  const measured = await MeasuredStack.create({ config, ownProcess: true, ...(env === undefined ? {} : { env }) });
  await writeFile(join(measured.stack.folder, "small.raw"), Buffer.alloc(4096, 1));
  const file = data ? { diskFormat: "raw", containerFormat: "bare", source: { file: "small.raw" } } : {};
  const images = Array.from({ length: count }, (_, i): Declared => {
    const args = { service: "openstack", connection: "lab", name: `image-${i}`, ...file };
    return { kind: "Image", name: `image-${i}`, args };
  });
  return await fleet(measured, note, images);
}

async function fleet(
  measured: MeasuredStack,
  note: FleetOptions["note"] = async () => {},
  resources?: Declared[],
): Promise<FleetResult> {
  try {
    const up = await measured.up(resources);
    await note("up", up);
    const again = await measured.up();
    await note("again", again);
    const refresh = await measured.previewRefresh();
    const own = Object.values(await measured.stack.state());
    const bytes = own.reduce((sum, resource) => sum + JSON.stringify(resource).length, 0);
    const stateBytes = own.length > 0 ? Math.round(bytes / own.length) : undefined;
    await note("refresh", refresh, stateBytes);
    const destroy = await measured.destroy();
    await note("destroy", destroy);
    return { up, again, refresh, destroy, ...(stateBytes === undefined ? {} : { stateBytes }) };
  } finally {
    await measured.dispose();
  }
}
