import { copyFile, link, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../../shared/files.ts";
import { cached } from "../cache.ts";
import { executableName, runCommand } from "../command.ts";
import { step } from "../progress.ts";
import { buildCli } from "./build.ts";
import { downloadOfficialCli } from "./download.ts";
import { installationOnPath, isWholeInstallation } from "./onPath.ts";
import { PULUMI_VERSION } from "./version.ts";

/** A Pulumi CLI that works: it runs, and its language host for Node.js programs lies beside it. */
export interface PulumiCli {
  /** The folder with `pulumi`, `pulumi-language-nodejs` and `pulumi-resource-pulumi-nodejs`. */
  folder: string;
  /** The path of `pulumi` itself. */
  command: string;
  /** As `pulumi version` prints it, without the leading v, e.g. "3.250.0". */
  version: string;
}

/** This folder holds our language host; the CLI is linked in beside it, where the engine looks for its plugins. */
const OWN_BIN = join(import.meta.dirname, "bin");

let found: Promise<PulumiCli> | undefined;

/**
 * Finds a working Pulumi CLI, or makes one: the one on PATH, else the vendor's download, else a build with Go.
 * The last two are kept in the cache folder, outside the clone. Shows on standard error what takes long.
 * @throws Error that names everything that was tried, each with its error, and what can be done
 */
export async function pulumiCli(): Promise<PulumiCli> {
  found ??= findOrMake();
  return found;
}

async function findOrMake(): Promise<PulumiCli> {
  const installed = await installationOnPath();
  if (installed !== undefined) return verified(installed);
  const name = `pulumi-${PULUMI_VERSION}-${process.platform}-${process.arch}`;
  const folder = await cached(name, make, message => process.stderr.write(`Pulumi CLI: ${message}\n`));
  const bin = join(folder, "bin");
  if (await isWholeInstallation(bin)) return verified(bin);
  await linkCli(join(bin, executableName("pulumi")), join(OWN_BIN, executableName("pulumi")));
  return verified(OWN_BIN);
}

/** Fills a folder of the cache with `bin/pulumi` that runs. */
async function make(folder: string): Promise<void> {
  const failures = ["No Pulumi CLI could be had. Tried:", "- `pulumi` with its language host on PATH: not there"];
  const ways = [
    {
      title: `Pulumi CLI ${PULUMI_VERSION}: downloading it by the npm package "pulumi"`,
      get: (into: string) => downloadOfficialCli(into),
    },
    {
      title: `Pulumi CLI ${PULUMI_VERSION}: building it with Go (a few minutes the first time)`,
      get: buildCli,
    },
  ];
  for (const { title, get } of ways) {
    try {
      await step(title, report => get(folder, report));
      await verified(join(folder, "bin"));
      return;
    } catch (error) {
      failures.push(`- ${title}:\n  ${error instanceof Error ? error.message : String(error)}`);
      await rm(join(folder, "bin"), { recursive: true, force: true });
    }
  }
  failures.push(
    "What helps: install Pulumi (https://www.pulumi.com/docs/install/) so that `pulumi` is on PATH,",
    "or install Go 1.25.11 or later and allow it to reach its module proxy, and try again.",
  );
  throw new Error(failures.join("\n"));
}

/** Puts the cached CLI into this clone: by a hard link, or by a copy where the cache is on another file system. */
async function linkCli(from: string, to: string): Promise<void> {
  const [source, present] = await Promise.all([stat(from), stat(to).catch(() => undefined)]);
  if (present !== undefined && (present.ino === source.ino || isCopy(present, source))) return;
  const fresh = `${to}.${process.pid}`;
  await link(from, fresh).catch(() => copyFile(from, fresh));
  // Renamed, as others may be running the old one or linking at the same time.
  await replaceFile(fresh, to);
  // rename of one link onto another of the same file does nothing and leaves both.
  await rm(fresh, { force: true });
}

function isCopy(
  one: { size: number; mtimeMs: number; dev: number },
  other: { size: number; mtimeMs: number; dev: number },
) {
  return one.dev !== other.dev && one.size === other.size && one.mtimeMs >= other.mtimeMs;
}

async function verified(folder: string): Promise<PulumiCli> {
  const command = join(folder, executableName("pulumi"));
  const output = await runCommand(command, ["version"], {
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: 60_000,
  });
  const version = /^v(\d+\.\d+\.\d+\S*)$/m.exec(output)?.[1];
  if (version === undefined) throw new Error(`${command} version printed ${JSON.stringify(output)}, not a version.`);
  return { folder, command, version };
}
