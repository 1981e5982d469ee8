import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DriftReport } from "../../cli/drift/report.ts";
import { type CommandRun, pulumiImages } from "../../test/cli/command.ts";
import type { OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import type { Declared, StateResource } from "../../test/engine/stack.ts";
import { connectionOf } from "../../test/openstack/clouds.ts";
import { ImageApi } from "../../test/openstack/imageApi.ts";
import { type Measured, MeasuredStack } from "./measuredStack.ts";

export interface DriftLook {
  preview: Measured;
  quiet: Measured;
  drifted: Measured;
  report: DriftReport;
}

/** Looks for drift in a fleet: first there is none, then 20 images have drifted, of every class. */
export async function driftLook(cloud: OpenStackCloud, count: number): Promise<DriftLook> {
  const connections = { lab: connectionOf(cloud, cloud.accounts.owner) };
  const measured = await MeasuredStack.create({ config: { "images:connections": connections } });
  const { stack } = measured;
  const dir = await mkdtemp(join(tmpdir(), "pulumi-images-bench-drift-"));
  try {
    await writeFile(join(stack.folder, "small.raw"), Buffer.alloc(4096, 1));
    await measured.up(Array.from({ length: count }, (_, at) => image(at)));
    const preview = await measured.previewRefresh();
    const look = (...args: string[]) =>
      measured.measure(() =>
        pulumiImages(["drift", "--stack", stack.name, ...args], { cwd: stack.folder, env: stack.env }),
      );
    const quiet = expected(await look(), 0);
    await interfere(cloud, Object.values(await stack.state()));
    const formats = ["json", "markdown", "junit", "sarif", "html"].flatMap(format => [
      `--${format}`,
      join(dir, format),
    ]);
    const drifted = expected(await look(...formats), 2);
    const report = JSON.parse(await readFile(join(dir, "json"), "utf8")) as DriftReport;
    if (report.summary.drifted !== drifts.length) throw new Error(`${report.summary.drifted} drifts were found`);
    return { preview, quiet, drifted, report };
  } finally {
    await measured.dispose();
    await rm(dir, { recursive: true, force: true });
  }
}

function image(at: number): Declared {
  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "small.raw" } };
  const said = { protected: at === 0, visibility: "shared", tags: ["golden"], properties: { os_distro: "alpine" } };
  return {
    kind: "Image",
    name: `image-${at}`,
    args: { service: "openstack", connection: "lab", name: `image-${at}`, ...data, ...said },
  };
}

/** One for each of the first images. */
const drifts: ((api: ImageApi, id: string) => Promise<void>)[] = [
  (api, id) => api.set(id, { protected: false }),
  ...Array.from({ length: 4 }, () => (api: ImageApi, id: string) => api.set(id, { visibility: "community" })),
  ...Array.from({ length: 3 }, () => (api: ImageApi, id: string) => api.delete(id)),
  ...Array.from({ length: 4 }, () => (api: ImageApi, id: string) => api.set(id, { visibility: "private" })),
  ...Array.from({ length: 3 }, () => (api: ImageApi, id: string) => api.set(id, { name: "renamed" })),
  ...Array.from({ length: 3 }, () => (api: ImageApi, id: string) => api.set(id, { tags: [] })),
  ...Array.from({ length: 2 }, () => (api: ImageApi, id: string) => api.set(id, { os_distro: "other" })),
];

async function interfere(cloud: OpenStackCloud, images: readonly StateResource[]): Promise<void> {
  const api = await ImageApi.signIn(cloud.authUrl, cloud.accounts.owner, cloud.regions[0]?.imageUrl as string);
  const named = new Map(images.map(({ urn, id }) => [urn.split("::").at(-1), id]));
  for (const [at, drift] of drifts.entries()) await drift(api, named.get(`image-${at}`) as string);
}

function expected(look: Measured & { result: CommandRun }, code: number): Measured {
  const { result, ...measured } = look;
  if (result.code !== code) throw new Error(`drift ended with ${result.code}: ${result.out}${result.err}`);
  return measured;
}
