import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { styleText } from "node:util";
import type { OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import { type ApiImage, ImageApi } from "../../test/openstack/imageApi.ts";
import { cloudsYaml } from "../openstack/cloudsYaml.ts";
import { type Place, projectFolder, stackName } from "./place.ts";
import { type PulumiRunner, shellSettings } from "./pulumi.ts";

const drift = { name: "rescue-OLD-do-not-use", tags: ["golden"], os_version: "3.17" };

/**
 * Shows what this package does on the root program: preview, up, what is then in the cloud, drift, its repair, and that nothing is left to do.
 * @throws Error at the first step that fails
 */
export async function tellStory(cloud: OpenStackCloud, pulumi: PulumiRunner, place: Place): Promise<void> {
  await writeFile(join(place.cloud, "clouds.yaml"), cloudsYaml(cloud), { mode: 0o600 });
  const [region] = cloud.regions;
  if (region === undefined) throw new Error("The local image service has no region.");
  const api = await ImageApi.signIn(cloud.authUrl, cloud.accounts.owner, region.imageUrl);

  heading("An image service, on this machine only");
  say(`An Image API with the OpenStack project "owner": ${region.imageUrl}`);
  say(`It has ${(await api.list()).length || "no"} images yet.`);
  await pulumi.run(["stack", "init", stackName], { quiet: true });

  async function run(...args: string[]): Promise<void> {
    process.stdout.write(`\n${styleText("bold", `$ pulumi ${args.join(" ")}`, { stream: process.stdout })}\n`);
    await pulumi.run(args);
  }

  heading("What Pulumi would do");
  say("The program is examples/quickstart/index.ts: one image, its data in the file disk.raw beside it.");
  await run("preview", "--diff");

  heading("Pulumi does it");
  await run("up", "--yes", "--skip-preview");

  heading("What is in the cloud now, as its Image API says");
  const made = await onlyImage(api);
  say(`GET /v2/images/${made.id}`);
  show(made, "id", "name", "status", "size", "os_hash_algo", "os_hash_value", "tags", "os_distro", "os_version");

  heading("Somebody changes the image behind Pulumi's back");
  say(`PATCH /v2/images/${made.id}`);
  await api.patch(
    made.id,
    ...Object.entries(drift).map(([field, value]) => ({ op: "replace", path: `/${field}`, value })),
  );
  say(
    `It is now called "${drift.name}", has lost its tag "rescue", and says that its os_version is ${drift.os_version}.`,
  );

  heading("Pulumi shows the drift, and nothing else");
  say("First what is different in the cloud, then what up would do about it.");
  await run("preview", "--refresh", "--diff");

  heading("Pulumi repairs it");
  await run("up", "--refresh", "--yes", "--skip-preview");
  const repaired = await onlyImage(api);
  const differing = ["id", "name", "tags", "os_version", "os_hash_value"].filter(
    field => JSON.stringify(sorted(repaired[field])) !== JSON.stringify(sorted(made[field])),
  );
  if (differing.length > 0) throw new Error(`The image wasn't repaired: its ${differing.join(", ")} differ still.`);
  say("The Image API says again:");
  show(repaired, "name", "tags", "os_version");

  heading("Nothing is left to do");
  await run("up", "--yes", "--skip-preview", "--expect-no-changes");
}

/** Says what a person can do with what the story leaves, and writes the settings for it. */
export async function sayHowToGoOn(place: Place): Promise<void> {
  const lines = Object.entries(shellSettings(place)).map(([name, value]) => `export ${name}=${quoted(value)}`);
  await writeFile(place.shellSettings, `${lines.join("\n")}\n`);
  const from = (path: string) => relative(projectFolder, path);
  heading("Go on");
  process.stdout.write(
    [
      "The image service is stopped; its image and Pulumi's state are kept. Start it again:",
      "",
      `    npm run cloud -- --dir ${from(place.cloud)}`,
      "",
      "and in a second terminal, change examples/quickstart/index.ts as you like, and:",
      "",
      `    source ${from(place.shellSettings)}`,
      "    npm run pulumi -- up",
      "",
      "To clean up, end the first with Ctrl-C, then:",
      "",
      `    rm -r ${from(join(place.folder, ".."))}`,
      "",
    ].join("\n"),
  );
}

async function onlyImage(api: ImageApi): Promise<ApiImage> {
  const [image, ...others] = await api.list();
  if (image === undefined || others.length > 0)
    throw new Error(`There should be one image in the cloud, and there are ${image ? others.length + 1 : 0}.`);
  return image;
}

/** Lists of the Image API have no order. */
function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.toSorted() : value;
}

function heading(text: string): void {
  process.stdout.write(`\n${styleText(["bold", "green"], text, { stream: process.stdout })}\n`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function show(image: ApiImage, ...fields: string[]): void {
  const width = Math.max(...fields.map(field => field.length));
  for (const field of fields) {
    const value = sorted(image[field]);
    const text = Array.isArray(value) ? value.join(", ") : String(value);
    say(`    ${field.padEnd(width)}  ${text.length > 64 ? `${text.slice(0, 64)}…` : text}`);
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
