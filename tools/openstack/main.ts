/**
 * `npm run openstack -- --dir DIR`: the real Keystone and Glance, for a person to try things on. Ctrl-C stops it; the
 * same DIR goes on where it was.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { cloudsYaml } from "./cloudsYaml.ts";
import type { CopyImagePolicy } from "./glance.ts";
import { startOpenStack } from "./start.ts";

interface Options {
  dir: string;
  regions: 1 | 2;
  copyImage: CopyImagePolicy;
}

const command = new Command("npm run openstack --")
  .description("Starts the real OpenStack Identity and Image services on loopback, until Ctrl-C.")
  .requiredOption("--dir <folder>", "where the state is kept; made where there is none")
  .addOption(
    new Option("--regions <count>", "1 or 2, each with an image service of its own")
      .choices(["1", "2"])
      .default(1)
      .argParser(text => (text === "2" ? 2 : 1)),
  )
  .addOption(
    new Option("--copy-image <who>", "who may copy an image's data to another store")
      .choices(["admin", "member"])
      .default("member"),
  )
  .action(run);

async function run(options: Options): Promise<void> {
  // npm runs scripts in the package's folder; the path is meant from where the person is.
  const dir = resolve(process.env.INIT_CWD ?? process.cwd(), options.dir);
  await mkdir(dir, { recursive: true });
  const cloud = await startOpenStack({
    dir,
    regions: options.regions,
    copyImagePolicy: options.copyImage,
    log: line => process.stderr.write(`${line}\n`),
  });
  const file = join(dir, "clouds.yaml");
  await writeFile(file, cloudsYaml(cloud), { mode: 0o600 });
  process.stdout.write(
    [
      `export OS_CLIENT_CONFIG_FILE=${quoted(file)}`,
      "export OS_CLOUD=owner   # or consumer, admin, owner-app, consumer-app, admin-app",
      ...cloud.regions.map(region => `# ${region.name}: image service at ${region.imageUrl}`),
      "# Ctrl-C stops it; the state stays in the folder.",
      "",
    ].join("\n"),
  );
  const stop = (): void => {
    process.stderr.write("stopping\n");
    cloud.stop().then(() => process.exit(0), fail);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

command.parseAsync().catch(fail);
