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
  /** Those of them that are its inputs and outputs; the rest is the engine's. */
  ownBytes?: number;
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

/** A stack of as many resources whose provider does nothing: what the engine itself needs. */
export async function noopStack({ count, env }: FleetOptions): Promise<MeasuredStack> {
  const program = join(import.meta.dirname, "noop");
  const counted = { NOOP_COUNT: String(count), NOOP_PROVIDER: join(program, "provider.cjs") };
  return await MeasuredStack.create({ program, env: { ...counted, ...env } });
}

export async function ourStack(cloud: OpenStackCloud, { count, data, env }: FleetOptions): Promise<MeasuredStack> {
  const config = { "images:connections": { lab: connectionOf(cloud, cloud.accounts.owner) } };
  // A project's name stands six times in each image's state: one of eleven characters, with what makes it unique.
  const measured = await MeasuredStack.create({ project: "ci", config, ...(env === undefined ? {} : { env }) });
  await writeFile(join(measured.stack.folder, "small.raw"), Buffer.alloc(4096, 1));
  const file = data ? { diskFormat: "raw", containerFormat: "bare", source: { file: "small.raw" } } : {};
  const images = Array.from({ length: count }, (_, i): Declared => {
    const args = { service: "openstack", connection: "lab", name: `image-${i}`, ...file };
    return { kind: "Image", name: `image-${i}`, args };
  });
  await measured.stack.declare(images);
  return measured;
}

export async function noopFleet(options: FleetOptions): Promise<FleetResult> {
  return await fleet(await noopStack(options), options.note);
}

export async function ourFleet(cloud: OpenStackCloud, options: FleetOptions): Promise<FleetResult> {
  return await fleet(await ourStack(cloud, options), options.note);
}

async function fleet(measured: MeasuredStack, note: FleetOptions["note"] = async () => {}): Promise<FleetResult> {
  try {
    const up = await measured.up();
    await note("up", up);
    const again = await measured.up();
    await note("again", again);
    const refresh = await measured.previewRefresh();
    const own = Object.values(await measured.stack.state());
    const bytes = own.reduce((sum, resource) => sum + JSON.stringify(resource).length, 0);
    const stateBytes = own.length > 0 ? Math.round(bytes / own.length) : undefined;
    const ownBytes =
      own.reduce((sum, { inputs, outputs }) => sum + JSON.stringify({ inputs, outputs }).length, 0) / own.length;
    await note("refresh", refresh, stateBytes);
    const destroy = await measured.destroy();
    await note("destroy", destroy);
    return { up, again, refresh, destroy, ...(stateBytes === undefined ? {} : { stateBytes, ownBytes }) };
  } finally {
    await measured.dispose();
  }
}
