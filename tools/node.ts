import { rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { executableName, npmCommand, runCommand } from "./command.ts";

const { engines } = createRequire(import.meta.url)("../package.json") as { engines: { node: string } };

/** The Node.js versions that this package is tried with, beside the one that the tests run on: update them as new ones come. */
export const nodeVersions = {
  minimum: `${engines.node.replace(">=", "")}.0`,
  "newest 22": "22.23.3",
  newest: "26.10.0",
} as const;

export type NodeVersion = keyof typeof nodeVersions;

/**
 * The folder with the executable of a Node.js version: from its npm package the first time, then kept in the cache folder.
 * @throws Error where the registry has none for this system, or it doesn't run here (they need glibc)
 */
export async function nodeFolder(version: string): Promise<string> {
  const { platform, arch } = process;
  const name = `node-${version}-${platform}-${arch}`;
  return join(await cached(name, folder => install(folder, version)), "bin");
}

async function install(folder: string, version: string): Promise<void> {
  const { platform, arch } = process;
  // As the package `node` names those that it picks from.
  const prefix = platform === "darwin" && arch === "arm64" ? "node-bin" : "node";
  const name = [prefix, platform === "win32" ? "win" : platform, arch].join("-");
  const quietly = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  await runCommand(...npmCommand(["install", "--prefix", folder, ...quietly, `${name}@${version}`]), { cwd: folder });
  await rename(join(folder, "node_modules", name, "bin"), join(folder, "bin"));
  await runCommand(join(folder, "bin", executableName("node")), ["--version"]);
}
