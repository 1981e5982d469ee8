/**
 * `npm start`: the whole story of an image, from the first preview to a repaired drift, on a local image service. It needs no account
 * and asks nothing. Ctrl-C ends it at any point; the next run begins afresh.
 */
import { startCloud } from "../../test/cloud/cloud.ts";
import { pulumiCli } from "../pulumi/cli.ts";
import { freshPlace } from "./place.ts";
import { PulumiRunner } from "./pulumi.ts";
import { sayHowToGoOn, tellStory } from "./story.ts";

async function main(): Promise<void> {
  const cli = await pulumiCli();
  const place = await freshPlace();
  const cloud = await startCloud({ dir: place.cloud, services: ["openstack"] });
  const pulumi = new PulumiRunner(cli, place);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => pulumi.stop(signal));
  try {
    await tellStory(cloud.openstack, pulumi, place);
  } finally {
    await cloud.stop();
  }
  await sayHowToGoOn(place);
}

main().catch((error: unknown) => {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode ||= 1;
});
