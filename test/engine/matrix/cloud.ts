import { mkdir } from "node:fs/promises";
import { type RealOpenStackCloud, startOpenStack } from "../../../tools/openstack/start.ts";
import type { LocalCloud } from "../../cloud/cloud.ts";
import { CloudProcess } from "../../cloud/process.ts";

/** The services that a matrix is run on, in processes of their own. */
export interface MatrixCloud {
  /** Of the real OpenStack there is `openstack` alone, see `has`. */
  readonly services: LocalCloud["services"];
  has(service: string): boolean;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again, with what it had, at the same addresses. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export type CloudKind = "local" | "real";

export async function startMatrixCloud(kind: CloudKind, dir: string): Promise<MatrixCloud> {
  return kind === "local" ? await startLocal(dir) : await startReal(dir);
}

async function startLocal(dir: string): Promise<MatrixCloud> {
  const process = await CloudProcess.start({
    dir,
    settings: {
      openstack: { importDelay: 5 },
      ecl: { copyStep: 5 },
      digitalocean: { taskTime: 5, requestsPerHour: 1e9, requestsPerMinute: 1e9 },
      divvycloud: { taskTime: 5 },
    },
  });
  return {
    services: process.services,
    has: () => true,
    kill: () => process.kill(),
    restart: () => process.restart(),
    stop: () => process.stop(),
  };
}

/** The real Keystone and Glance, of which the Glance can be killed. */
async function startReal(dir: string): Promise<MatrixCloud> {
  await mkdir(dir, { recursive: true });
  const real: RealOpenStackCloud = await startOpenStack({ dir });
  const { authUrl, accounts, imageServers } = real;
  return {
    services: { openstack: { authUrl, accounts, imageServers } } as unknown as LocalCloud["services"],
    has: service => service === "openstack",
    kill: () => real.killGlance(),
    restart: () => real.restartGlance(),
    stop: () => real.stop(),
  };
}
