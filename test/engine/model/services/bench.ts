import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOpenStack } from "../../../../tools/openstack/start.ts";
import { type LocalCloud, type ServiceName, startCloud } from "../../../cloud/cloud.ts";
import type { OpenStackCloud } from "../../../cloud/openStackCloud.ts";
import { noise } from "../../../support/disk.ts";
import { type FileServer, startFileServer } from "../../../support/fileServer.ts";
import { Gate } from "../../matrix/gate.ts";

export type CloudKind = "local" | "real";

/** How many disks there are. */
const disks = 3;

/** In seconds: each run has a token of its own, and the cloud looks through all that are good. The model's own are taken anew. */
const tokenLifetime = 15;

/** What the lives of one service are lived on: a cloud, the disks, and a gate that every request of a provider goes through. */
export interface Bench {
  service: ServiceName;
  gate: Gate;
  files: FileServer;
  /** The disks' bytes. */
  disks: Buffer[];
  diskFile(data: number): string;
  diskUrl(data: number): string;
  services: LocalCloud["services"];
  local?: LocalCloud;
  stop(): Promise<void>;
}

export async function startBench(service: ServiceName, kind: CloudKind): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), "pulumi-images-model-"));
  const bytes = Array.from({ length: disks }, (_, n) => noise(`model ${n}`, 600 + 100 * n));
  const diskFile = (data: number) => join(dir, `disk-${data}.raw`);
  const files = await startFileServer();
  for (const [n, body] of bytes.entries()) {
    await writeFile(diskFile(n), body);
    files.files.set(`/disk-${n}.raw`, { body, headers: { etag: `"${n}"` } });
  }
  const cloud = kind === "local" ? await startLocal(service, join(dir, "cloud")) : await startReal(join(dir, "cloud"));
  const gate = new Gate();
  return {
    service,
    gate,
    files,
    disks: bytes,
    diskFile,
    diskUrl: data => `${files.url}/disk-${data}.raw`,
    ...cloud,
    async stop() {
      await gate.stop();
      await files.stop();
      await cloud.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

type Cloud = Pick<Bench, "services" | "stop" | "local">;

async function startLocal(service: ServiceName, dir: string): Promise<Cloud> {
  const local = await startCloud({
    dir,
    services: [...new Set<ServiceName>(["openstack", service])],
    settings: {
      openstack: { importDelay: 1, saveDelay: 0, tokenLifetime },
      ecl: { copyStep: 1, saveDelay: 0, importDelay: 1, tokenLifetime },
      istack: { saveDelay: 0, tokenLifetime },
      "glance-v1": { tokenLifetime },
      digitalocean: { taskTime: 1, requestsPerHour: 1e9, requestsPerMinute: 1e9 },
      divvycloud: { taskTime: 1 },
    },
  });
  return { local, services: local.services, stop: () => local.stop() };
}

async function startReal(dir: string): Promise<Cloud> {
  const real: OpenStackCloud & { imageServers: string[] } = await startOpenStack({ dir });
  return { services: { openstack: real } as unknown as LocalCloud["services"], stop: () => real.stop() };
}
