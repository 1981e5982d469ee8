import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { pulumiEnvironment } from "../../tools/pulumi/environment.ts";
import { findOnPath } from "../../tools/pulumi/onPath.ts";
import { type Declared, Stack } from "../engine/stack.ts";
import { exampleFolder } from "./example.ts";
import type { Mocked, Registered } from "./mockedProgram.ts";

/** An official Pulumi provider that an example uses beside ours. */
export type Official = "openstack" | "digitalocean";

const imageType = "pulumi-nodejs:dynamic/images:Image";

/**
 * Runs the example of an official provider with Pulumi's mocks.
 * @param config the stack's configuration, by full key
 * @param imageId the id that our Image is to get
 * @param type the official resource's type
 */
export async function runMocked(
  official: Official,
  config: Record<string, string>,
  imageId: string,
  type: string,
): Promise<{ image: Registered; theirs: Registered; officialConfig: Record<string, unknown> }> {
  const example = `with-${official}`;
  // The mocked project has a name of its own.
  const own = Object.entries(config).map(([key, value]) => [key.replace(`images-${example}:`, "mocked:"), value]);
  const program = join(exampleFolder(example), "index.ts");
  const ids = JSON.stringify({ [imageType]: imageId, [type]: "theirs" });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, "mockedProgram.ts"), program, official, ids],
    { env: { ...process.env, PULUMI_CONFIG: JSON.stringify(Object.fromEntries(own)) } },
  );
  const { registered, officialConfig } = JSON.parse(stdout) as Mocked;
  const only = (wanted: string) => {
    const [found, ...more] = registered.filter(resource => resource.type === wanted);
    if (found === undefined || more.length > 0) throw new Error(`not one ${wanted}: ${stdout}`);
    return found;
  };
  return { image: only(imageType), theirs: only(type), officialConfig };
}

/** An Image that a mocked program registered, for the program of the engine tests. */
export function declaredFrom({ name, inputs }: Registered): Declared {
  const { __provider, resource, ...args } = inputs;
  return { kind: "Image", name, args };
}

/**
 * The types that a preview of an official provider's example would create, with that provider's own plugin.
 * @returns undefined where this machine hasn't the plugin
 */
export async function previewedWithPlugin(
  official: Official,
  config: Record<string, unknown>,
): Promise<string[] | undefined> {
  const env = await pluginEnvironment(official);
  if (env === undefined) return undefined;
  const stack = await Stack.create({ program: exampleFolder(`with-${official}`), config, env });
  try {
    const { code, text, events } = await stack.preview();
    if (code !== 0) throw new Error(text);
    const planned = events.flatMap(({ resourcePreEvent }) => resourcePreEvent?.metadata ?? []);
    return planned.filter(({ op }) => op === "create").map(({ type }) => type);
  } finally {
    await stack.dispose();
  }
}

/** The environment in which the engine finds an official provider's plugin that this machine has; undefined where it hasn't it. */
async function pluginEnvironment(official: Official): Promise<NodeJS.ProcessEnv | undefined> {
  const plugin = `pulumi-resource-${official}`;
  const onPath = await findOnPath(plugin);
  const manifest = createRequire(import.meta.url)(`@pulumi/${official}/package.json`) as { version: string };
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const version = manifest.version.replace(/^v/, "");
  const installed = join(home, "plugins", `resource-${official}-v${version}`, plugin);
  const file =
    onPath ??
    (await access(installed).then(
      () => installed,
      () => undefined,
    ));
  if (file === undefined) return undefined;
  return { PATH: `${dirname(file)}:${pulumiEnvironment(await pulumiCli()).PATH}` };
}
