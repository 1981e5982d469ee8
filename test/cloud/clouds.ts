import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOpenStack } from "../../tools/openstack/start.ts";
import { type LocalCloud, startCloud } from "./cloud.ts";
import type { OpenStackCloud } from "./openStackCloud.ts";

/** The kinds of OpenStack that tests run on. IMAGES_TEST_CLOUDS=local leaves the real one out. */
export const kinds: OpenStackCloud["kind"][] =
  process.env.IMAGES_TEST_CLOUDS === undefined
    ? ["local", "real"]
    : (process.env.IMAGES_TEST_CLOUDS.split(",") as OpenStackCloud["kind"][]);

interface Running {
  dir: string;
  cloud: OpenStackCloud;
  local?: LocalCloud;
}

const started = new Map<OpenStackCloud["kind"], Promise<Running>>();

/** The cloud of a kind, in two regions: started at its first use, and stopped by the root hook. */
export function openStack(kind: OpenStackCloud["kind"]): Promise<Running> {
  let running = started.get(kind);
  if (!running) {
    running = start(kind);
    started.set(kind, running);
  }
  return running;
}

async function start(kind: OpenStackCloud["kind"]): Promise<Running> {
  const dir = await mkdtemp(join(tmpdir(), `openstack-${kind}-`));
  if (kind === "real") return { dir, cloud: await startOpenStack({ dir, regions: 2 }) };
  const local = await startCloud({ dir, services: ["openstack"], regions: 2 });
  return { dir, cloud: local.openstack, local };
}

/** Ends the clouds that tests have used. */
export async function stopOpenStacks(): Promise<void> {
  const clouds = await Promise.all(started.values());
  started.clear();
  for (const { dir, cloud } of clouds) {
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * A suite that runs with the same assertions on the local OpenStack and on the real one.
 * @param suite gets a function that answers with the running cloud, from the first hook or test on
 */
export function describeOnClouds(
  title: string,
  suite: (cloud: () => OpenStackCloud, kind: OpenStackCloud["kind"]) => void,
): void {
  for (const kind of kinds) {
    describe(`${title}, on the ${kind} OpenStack`, () => {
      let cloud: OpenStackCloud;
      before(async function () {
        // The first start on a machine installs what is needed.
        this.timeout(600_000);
        ({ cloud } = await openStack(kind));
      });
      suite(() => cloud, kind);
    });
  }
}
