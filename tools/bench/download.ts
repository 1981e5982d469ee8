import { copyFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TraceEntry } from "../../provider/http/trace.ts";
import { environmentOf } from "../../test/openstack/clouds.ts";
import { ImageApi } from "../../test/openstack/imageApi.ts";
import { runCommand } from "../command.ts";
import { startNetwork } from "./network.ts";
import { type Addressed, settled, tokenOf } from "./upload.ts";

export interface Downloads {
  /** Seconds of curl, by its own clock. */
  curl: number;
  /** Seconds of curl where the data is hashed as well: through `tee` into the file, and into `sha512sum`. */
  hashed: number;
  /** Seconds of the request that brings the data. */
  data: number;
  /** Seconds of the whole command, which signs in, holds the data against its digest and brings it to the disk. */
  command: number;
}

const cli = join(import.meta.dirname, "..", "..", "dist", "cli", "main.js");

/**
 * Downloads an image into a file: by curl, by curl with `sha512sum`, and by `pulumi-images download`, in turns.
 * @param file the image's data
 * @param bytesPerSecond of a network between here and the service; without it, as fast as this machine can
 */
export async function compareDownload(
  cloud: Addressed,
  file: string,
  folder: string,
  rounds: number,
  bytesPerSecond?: number,
): Promise<Downloads[]> {
  const direct = cloud.regions[0]?.imageUrl as string;
  const network = bytesPerSecond === undefined ? undefined : await startNetwork(direct, bytesPerSecond);
  try {
    return await compare(cloud, file, folder, rounds, network?.url ?? direct);
  } finally {
    await network?.stop();
  }
}

async function compare(
  cloud: Addressed,
  file: string,
  folder: string,
  rounds: number,
  url: string,
): Promise<Downloads[]> {
  const { owner } = cloud.accounts;
  const api = await ImageApi.signIn(cloud.authUrl, owner, url);
  const image = await api.create({ name: "download", disk_format: "raw", container_format: "bare" });
  const data = `${url}/v2/images/${image.id}/file`;
  const withToken = [
    "--silent",
    "--show-error",
    "--fail",
    "-H",
    `X-Auth-Token: ${await tokenOf(cloud.authUrl, owner)}`,
  ];
  await runCommand("curl", [...withToken, "-T", file, "-H", "Content-Type: application/octet-stream", data]);
  const to = join(folder, "downloaded.raw");
  const trace = join(folder, "download-trace");
  const env = {
    ...process.env,
    ...environmentOf(cloud, owner),
    OS_IMAGE_ENDPOINT_OVERRIDE: url,
    PULUMI_IMAGES_TRACE: trace,
  };
  const hashing = async (): Promise<number> => {
    const start = performance.now();
    const pipe = 'to="$1"; shift; curl "$@" | tee "$to" | sha512sum';
    await runCommand("sh", ["-c", pipe, "sh", to, ...withToken, data]);
    return (performance.now() - start) / 1000;
  };
  const ours = async (): Promise<Pick<Downloads, "data" | "command">> => {
    const start = performance.now();
    await runCommand(process.execPath, [cli, "download", image.id, to, "--service", "openstack"], { cwd: folder, env });
    const command = (performance.now() - start) / 1000;
    const entries = (await readFile(trace, "utf8")).trim().split("\n");
    const get = entries.map(line => JSON.parse(line) as TraceEntry).find(({ path }) => path.endsWith("/file"));
    if (get === undefined) throw new Error("the command downloaded nothing");
    return { data: get.ms / 1000, command };
  };
  // What a removed file leaves of the kernel's memory is what the next one is written to: each of them gets it just so.
  const fresh = async () => {
    await settled();
    await rm(to);
  };
  await copyFile(file, to);
  const results: Downloads[] = [];
  for (let round = 0; round < rounds; round++) {
    await fresh();
    const curl = Number(await runCommand("curl", [...withToken, "-o", to, "-w", "%{time_total}", data]));
    await fresh();
    const hashed = await hashing();
    await fresh();
    results.push({ curl, hashed, ...(await ours()) });
    await rm(trace);
  }
  await rm(to);
  await api.send("DELETE", `/v2/images/${image.id}`);
  return results;
}
