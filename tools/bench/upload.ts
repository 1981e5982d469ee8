import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Account, OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import { connectionOf, environmentOf } from "../../test/openstack/clouds.ts";
import { ImageApi } from "../../test/openstack/imageApi.ts";
import { runCommand } from "../command.ts";
import { MeasuredStack } from "./measuredStack.ts";

/** What an upload or a download needs to know of a cloud. */
export type Addressed = Pick<OpenStackCloud, "kind" | "authUrl" | "regions" | "accounts">;

/** A file of random bytes: the first MiB repeated, each with its number. */
export async function writeDisk(file: string, mebibytes: number): Promise<void> {
  const handle = await open(file, "w");
  const block = randomBytes(2 ** 20);
  for (let i = 0; i < mebibytes; i++) {
    block.writeUInt32LE(i);
    await handle.write(block);
  }
  await handle.close();
}

/** Until what was written so far is on the disk: else the next measurement pays for it. */
export async function settled(): Promise<void> {
  await runCommand("sync", []);
}

export async function tokenOf(authUrl: string, account: Account): Promise<string> {
  const user = { name: account.username, domain: { name: account.userDomain }, password: account.password };
  const auth = {
    identity: { methods: ["password"], password: { user } },
    scope: { project: { id: account.projectId } },
  };
  const answer = await fetch(`${authUrl}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ auth }),
  });
  const token = answer.headers.get("x-subject-token");
  if (!token) throw new Error(`signing in answered ${answer.status}`);
  return token;
}

/** Seconds that `curl -T` needs for the data of a new image, by its own clock. */
export async function curlUpload(cloud: Addressed, file: string): Promise<number> {
  const { owner } = cloud.accounts;
  const url = cloud.regions[0]?.imageUrl as string;
  const api = await ImageApi.signIn(cloud.authUrl, owner, url);
  const image = await api.create({ name: "curl", disk_format: "raw", container_format: "bare" });
  const token = await tokenOf(cloud.authUrl, owner);
  const seconds = await runCommand("curl", [
    ...["--silent", "--show-error", "--fail", "-o", "/dev/null", "-w", "%{time_total}", "-T", file],
    ...["-H", `X-Auth-Token: ${token}`, "-H", "Content-Type: application/octet-stream"],
    `${url}/v2/images/${image.id}/file`,
  ]);
  await api.send("DELETE", `/v2/images/${image.id}`);
  return Number(seconds);
}

export interface OurUpload {
  /** Seconds of the request that carries the data. */
  data: number;
  /** Seconds of the whole `pulumi up`. */
  up: number;
  peakMiB: number;
  requests: number;
}

export async function ourUpload(cloud: Addressed, file: string): Promise<OurUpload> {
  const connections = { lab: connectionOf(cloud, cloud.accounts.owner) };
  const stack = await MeasuredStack.create({ config: { "images:connections": connections } });
  try {
    const args = { service: "openstack", connection: "lab", name: "ours", diskFormat: "raw", containerFormat: "bare" };
    const run = await stack.up([{ kind: "Image", name: "ours", args: { ...args, source: { file } } }]);
    const put = run.requests.find(({ method, path }) => method === "PUT" && path.endsWith("/file"));
    if (put === undefined || run.peakMiB === undefined) throw new Error("the provider made no upload");
    return { data: put.ms / 1000, up: run.seconds, peakMiB: run.peakMiB, requests: run.requests.length };
  } finally {
    await stack.dispose();
  }
}

/** Seconds that a Python client of PyPI needs from its start to its end. */
export async function clientUpload(
  cloud: Addressed,
  python: string,
  client: "openstack" | "openstacksdk",
  file: string,
): Promise<number> {
  const cli = ["image", "create", "--disk-format", "raw", "--container-format", "bare", "--file", file, "cli"];
  const sdk =
    "import openstack, sys; openstack.connect().create_image('sdk', filename=sys.argv[1], disk_format='raw', container_format='bare', wait=True)";
  const env = Object.fromEntries(
    Object.entries(environmentOf(cloud, cloud.accounts.owner)).map(([name, value]) => [name, value ?? ""]),
  );
  const main =
    "import runpy, sys; sys.argv[0] = 'openstack'; runpy.run_module('openstackclient.shell', run_name='__main__')";
  const args = client === "openstack" ? ["-c", main, ...cli] : ["-c", sdk, file];
  const start = performance.now();
  await runCommand(python, args, {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      OS_CLIENT_CONFIG_FILE: "/dev/null",
      OS_IDENTITY_API_VERSION: "3",
      ...env,
    },
    timeoutMs: 600_000,
  });
  const seconds = (performance.now() - start) / 1000;
  const api = await ImageApi.signIn(cloud.authUrl, cloud.accounts.owner, cloud.regions[0]?.imageUrl as string);
  for (const { id } of await api.list()) await api.send("DELETE", `/v2/images/${id}`);
  return seconds;
}

export const diskIn = (folder: string): string => join(folder, "disk.raw");
