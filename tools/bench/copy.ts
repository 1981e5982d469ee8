import type { CloudProcess } from "../../test/cloud/process.ts";
import { connectionOf } from "../../test/openstack/clouds.ts";
import { ImageApi } from "../../test/openstack/imageApi.ts";
import { runCommand } from "../command.ts";
import { MeasuredStack } from "./measuredStack.ts";
import { settled, tokenOf } from "./upload.ts";

export interface CopyResult {
  /** Seconds of `curl | curl`. */
  curl: number;
  /** Seconds of the request that carries the data. */
  data: number;
  up: number;
  peakMiB: number;
}

type Cloud = Pick<CloudProcess, "services">;

/** Copies an image's data from one cloud to another: by `curl | curl`, then by ImageCopy; again and again, in turns. */
export async function copyBetween(from: Cloud, to: Cloud, file: string, rounds: number): Promise<CopyResult[]> {
  const [source, target] = [from.services.openstack, to.services.openstack];
  const urls = [source, target].map(({ regions }) => regions[0]?.imageUrl as string);
  const [there, here] = await Promise.all(
    [source, target].map((cloud, index) => ImageApi.signIn(cloud.authUrl, cloud.accounts.owner, urls[index] as string)),
  );
  if (!there || !here) throw new Error("two clouds are needed");
  const fields = { disk_format: "raw", container_format: "bare" };
  const image = await there.create({ name: "source", ...fields });
  const [readToken, writeToken] = await Promise.all(
    [source, target].map(cloud => tokenOf(cloud.authUrl, cloud.accounts.owner)),
  );
  await runCommand("curl", [
    ...["-sSf", "-T", file, "-H", `X-Auth-Token: ${readToken}`, "-H", "Content-Type: application/octet-stream"],
    `${urls[0]}/v2/images/${image.id}/file`,
  ]);
  const connections = {
    from: connectionOf(source, source.accounts.owner),
    to: connectionOf(target, target.accounts.owner),
  };
  const byCurl = async (): Promise<number> => {
    const piped = await here.create({ name: "piped", ...fields });
    const pipe =
      'curl -sSf -H "X-Auth-Token: $1" "$2" | curl -sSf -T - -H "X-Auth-Token: $3" -H "Content-Type: application/octet-stream" "$4"';
    const [read, write] = [`${urls[0]}/v2/images/${image.id}/file`, `${urls[1]}/v2/images/${piped.id}/file`];
    await settled();
    const start = performance.now();
    await runCommand("sh", ["-c", pipe, "sh", readToken as string, read, writeToken as string, write]);
    const seconds = (performance.now() - start) / 1000;
    await here.send("DELETE", `/v2/images/${piped.id}`);
    return seconds;
  };
  const byOurs = async (): Promise<Omit<CopyResult, "curl">> => {
    const stack = await MeasuredStack.create({ config: { "images:connections": connections } });
    try {
      await settled();
      const args = { service: "openstack", connection: "from", imageId: image.id, to: { connection: "to" } };
      const run = await stack.up([{ kind: "ImageCopy", name: "copy", args }]);
      const put = run.requests.find(({ method, path }) => method === "PUT" && path.endsWith("/file"));
      if (put === undefined || run.peakMiB === undefined) throw new Error("the provider made no upload");
      return { data: put.ms / 1000, up: run.seconds, peakMiB: run.peakMiB };
    } finally {
      await stack.dispose();
    }
  };
  const results: CopyResult[] = [];
  for (let round = 0; round < rounds; round++) results.push({ curl: await byCurl(), ...(await byOurs()) });
  await there.send("DELETE", `/v2/images/${image.id}`);
  return results;
}
