import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { npmCommand } from "../../tools/command.ts";
import { root, shipped } from "./shipped.ts";

const run = promisify(execFile);

/** What a program has of its own: the SDK, and the types that come along with it. */
const ofPulumi = [
  ["@pulumi", "pulumi"],
  ["@types", "node"],
] as const;

export function npm(args: string[], cwd: string): Promise<{ stdout: string }> {
  return run(...npmCommand(args), { cwd, maxBuffer: 2 ** 26 });
}

/** Packs this package, as it is built, into a folder. */
export async function pack(into: string): Promise<{ tarball: string; files: string[] }> {
  const { stdout } = await npm(["pack", "--json", "--ignore-scripts", "--pack-destination", into], root);
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  const files = (packed?.files ?? []).map(({ path }) => path);
  return { tarball: join(into, packed?.filename as string), files };
}

/**
 * Installs it in a program's folder: by npm itself, at the versions of the lock file, so that what npm ci has fetched already is enough. Pulumi
 * is the program's own.
 */
export async function install(tarball: string, folder: string): Promise<void> {
  const { version, dependencies, peerDependencies, engines, bin } = JSON.parse(
    await readFile(join(root, "package.json"), "utf8"),
  );
  const own = { "pulumi-images": "file:pulumi-images.tgz" };
  await cp(tarball, join(folder, "pulumi-images.tgz"));
  const name = "test-program";
  await writeFile(join(folder, "package.json"), JSON.stringify({ name, main: "index.cjs", dependencies: own }));
  const packages = {
    "": { name, dependencies: own },
    "node_modules/pulumi-images": {
      version,
      resolved: own["pulumi-images"],
      dependencies,
      peerDependencies,
      engines,
      bin,
    },
    ...Object.fromEntries(await shipped()),
  };
  await writeFile(join(folder, "package-lock.json"), JSON.stringify({ name, lockfileVersion: 3, packages }));
  await npm(["ci", "--prefer-offline", "--legacy-peer-deps", "--no-audit", "--no-fund"], folder);
  for (const [scope, name] of ofPulumi) {
    await mkdir(join(folder, "node_modules", scope), { recursive: true });
    await symlink(join(root, "node_modules", scope, name), join(folder, "node_modules", scope, name));
  }
}
