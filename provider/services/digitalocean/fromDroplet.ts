import { ImagesError } from "../../errors.ts";
import { waitFor } from "../../wait.ts";
import type { Job } from "../service.ts";
import type { WireAction, WireImage } from "./client.ts";
import type { DigitalOceanCloud } from "./cloud.ts";
import { untilEnded } from "./waiting.ts";

/** How long a snapshot may take to be listed once it is complete, in ms. */
const listingMs = 120_000;
/** How often a droplet may turn out to be busy with something else again. */
const mostRefusals = 20;

/** A droplet does one thing at a time. Returns when it does nothing. */
export async function untilDropletIdle(cloud: DigitalOceanCloud, droplet: string, job: Job): Promise<void> {
  for (;;) {
    const actions = await cloud.client.dropletActions(droplet);
    if (actions === undefined) throw noDroplet(droplet);
    const busy = actions.find(({ status }) => status === "in-progress");
    if (busy === undefined) return;
    job.report(`waiting for the droplet's ${busy.type} to end`);
    await untilEnded(busy, readAction(cloud, droplet), `the ${busy.type} of droplet ${droplet}`, job);
  }
}

/**
 * Makes a snapshot of a droplet, which may be running.
 * @param name what it is called until it has its tags: by this a repeat finds it
 */
export async function snapshotDroplet(
  cloud: DigitalOceanCloud,
  droplet: string,
  name: string,
  job: Job,
): Promise<WireImage> {
  const action = await begin(cloud, droplet, name, job);
  job.report("making a snapshot of the droplet");
  const what = `the snapshot of droplet ${droplet}`;
  if (!(await untilEnded(action, readAction(cloud, droplet), what, job))) {
    throw new ImagesError(
      "failed",
      `${what} failed: action ${String(action.id)} errored, DigitalOcean doesn't say why`,
    );
  }
  return waitFor(
    async () => {
      const made = (await cloud.client.dropletSnapshots(droplet)).find(snapshot => snapshot.name === name);
      return made === undefined ? undefined : await cloud.client.image(String(made.id));
    },
    () => `${what} to be listed`,
    { ...job, deadline: Math.min(job.deadline, Date.now() + listingMs) },
  );
}

async function begin(cloud: DigitalOceanCloud, droplet: string, name: string, job: Job): Promise<WireAction> {
  for (let refused = 0; ; refused++) {
    try {
      const action = await cloud.client.beginSnapshot(droplet, name);
      if (action === undefined) throw noDroplet(droplet);
      return action;
    } catch (error) {
      // Somebody else, or another Image of this program, asked the droplet for something first.
      if (!(error instanceof ImagesError) || error.status !== 422 || refused === mostRefusals) throw error;
      await untilDropletIdle(cloud, droplet, job);
    }
  }
}

function readAction(cloud: DigitalOceanCloud, droplet: string): (id: string) => Promise<WireAction> {
  return id => cloud.client.dropletAction(droplet, id);
}

function noDroplet(droplet: string): ImagesError {
  return new ImagesError("not-found", `there is no droplet ${droplet} that this connection can see`);
}
