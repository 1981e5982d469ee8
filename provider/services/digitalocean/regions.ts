import PQueue from "p-queue";
import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import { gone } from "../lost.ts";
import type { Job } from "../service.ts";
import type { WireAction, WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { untilEnded } from "./waiting.ts";

/** Transfers of one image that run at the same time. */
const atOnce = 4;
/** How long an image may take to name a region that it has been transferred to, in ms. */
const namingMs = 120_000;

/**
 * Brings an available image to more regions, several at a time. A transfer that is under way already is waited for.
 * @returns the image, when it is in all of them
 * @throws ImagesError "failed" with every region that it couldn't be brought to; it stays in the others
 */
export async function addRegions(
  cloud: DigitalOceanCloud,
  id: string,
  regions: readonly string[],
  job: Job,
): Promise<WireImage> {
  const states = new Map(regions.map(region => [region, "waiting"]));
  const note = (region: string, state: string) => {
    states.set(region, state);
    job.report(`transfer: ${[...states].map(entry => entry.join(" ")).join(", ")}`);
  };
  const queue = new PQueue({ concurrency: atOnce });
  const results = await Promise.allSettled(
    regions.map(region =>
      queue.add(async () => {
        try {
          await transfer(cloud, id, region, job, state => note(region, state));
          note(region, "done");
        } catch (error) {
          note(region, "failed");
          throw error;
        }
      }),
    ),
  );
  cloud.reads.wrote(id);
  const failures = results.flatMap((result, index) =>
    result.status === "rejected" ? [{ region: regions[index] as string, reason: result.reason as unknown }] : [],
  );
  if (failures.length > 0) throw failed(id, failures);
  return await untilNamed(cloud, id, regions, job);
}

async function transfer(
  cloud: DigitalOceanCloud,
  id: string,
  region: string,
  job: Job,
  note: (state: string) => void,
): Promise<void> {
  const read = (action: string) => cloud.client.imageAction(id, action);
  const what = `the transfer of image ${id} to ${region}`;
  for (;;) {
    let action: WireAction;
    try {
      action = await cloud.client.beginImageAction(id, { type: "transfer", region });
    } catch (error) {
      if (!(error instanceof ImagesError) || (error.status !== 422 && error.code !== "unavailable")) throw error;
      // Most likely it is there already, or on its way (the answer to an earlier request may be lost), or the image is busy with something else.
      // The actions come first: one that ends between two reads then shows in the image.
      const actions = await cloud.client.imageActions(id);
      const image = await cloud.client.image(id);
      if (image === undefined) throw gone(id);
      if (image.regions?.includes(region)) return;
      const transfers = actions.filter(({ type, region_slug }) => type === "transfer" && region_slug === region);
      // No image leaves a region that it was brought to; it may only be late in naming it.
      if (transfers.some(({ status }) => status === "completed")) return;
      const same = transfers.find(({ status }) => status === "in-progress");
      const underWay = actions.filter(({ status }) => status === "in-progress");
      const other = same ?? underWay[0];
      if (other === undefined) throw error;
      note(same === undefined ? `waiting for another ${other.type}` : "in-progress");
      const ended = await untilEnded(other, read, what, job);
      if (same === undefined) continue;
      if (ended) return;
      throw errored(same);
    }
    note("in-progress");
    if (await untilEnded(action, read, what, job)) return;
    throw errored(action);
  }
}

function errored(action: WireAction): ImagesError {
  return new ImagesError("failed", `action ${String(action.id)} errored, DigitalOcean doesn't say why`);
}

function failed(id: string, failures: { region: string; reason: unknown }[]): unknown {
  // Time that ran out, or a call to stop, says nothing about the transfers themselves.
  const ended = failures.find(
    ({ reason }) => reason instanceof ImagesError && (reason.code === "timeout" || reason.code === "interrupted"),
  );
  if (ended) return ended.reason;
  const list = failures.map(({ region, reason }) => `${region} (${reason instanceof Error ? reason.message : reason})`);
  return new ImagesError("failed", `image ${id} couldn't be transferred to ${list.join(", ")}`, {
    hint: "The next up tries again; an image is only offered to regions that are available (GET /v2/regions)",
    cause: failures[0]?.reason,
  });
}

async function untilNamed(
  cloud: DigitalOceanCloud,
  id: string,
  regions: readonly string[],
  job: Job,
): Promise<WireImage> {
  return waitFor(
    async () => {
      const image = await cloud.client.image(id);
      if (image === undefined) throw gone(id);
      return regions.every(region => image.regions?.includes(region)) ? image : undefined;
    },
    () => `image ${id} to say that it is in ${regions.join(", ")}`,
    { ...job, deadline: Math.min(job.deadline, Date.now() + namingMs) },
  );
}
