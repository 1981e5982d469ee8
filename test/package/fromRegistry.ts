import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../../tools/cache.ts";
import { runCommand } from "../../tools/command.ts";

/** Programs that only a test of the package needs, by npm's name for each, such as `bun@1.4.5`. */
export type Wanted = Record<string, string>;

/**
 * A folder whose node_modules holds them, each by its key; kept for the next run.
 * @returns why there is none, where the registry can't be reached or doesn't have one of them
 */
export async function fromRegistry(wanted: Wanted): Promise<{ folder: string } | { missing: string }> {
  const aliases = Object.entries(wanted).map(([alias, spec]) => [alias, `npm:${spec}`] as const);
  const name = aliases.map(([alias, spec]) => `${alias}-${spec.split("@").at(-1)}`).join("_");
  try {
    return {
      folder: await cached(`from-registry/${name}`, async folder => {
        const dependencies = Object.fromEntries(aliases);
        await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
        const flags = ["--no-audit", "--no-fund", "--fetch-retries=0", "--no-bin-links"];
        await runCommand("npm", ["install", ...flags], { cwd: folder, timeoutMs: 300_000 });
      }),
    };
  } catch (error) {
    return {
      missing: `npm couldn't get ${Object.values(wanted).join(", ")}: ${(error as Error).message.slice(0, 300)}`,
    };
  }
}
