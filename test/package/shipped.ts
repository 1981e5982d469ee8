import { readFile } from "node:fs/promises";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

/** One entry of package-lock.json. Source: docs.npmjs.com, package-lock.json, lockfileVersion 3. */
export interface Locked {
  version: string;
  resolved?: string;
  integrity?: string;
  license?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** What whoever installs this package gets with it, by its place: `dependencies`, and theirs. Peers are the program's own. */
export async function shipped(): Promise<Map<string, Locked>> {
  const { packages } = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const found = new Map<string, Locked>();
  const walk = (place: string) => {
    const entry = packages[place];
    if (entry === undefined || found.has(place)) return;
    if (place !== "") found.set(place, entry);
    for (const name of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) {
      const there = placeOf(place, name, packages);
      if (there !== undefined) walk(there);
    }
  };
  walk("");
  return found;
}

/** Where Node finds a package from another one's place: the nearest node_modules upwards. */
function placeOf(from: string, name: string, packages: Record<string, Locked>): string | undefined {
  const folders = from === "" ? [] : from.split("/node_modules/");
  for (let depth = folders.length; depth >= 0; depth--) {
    const place = [...folders.slice(0, depth), name].join("/node_modules/");
    const inTop = place.startsWith("node_modules/") ? place : `node_modules/${place}`;
    if (packages[inTop] !== undefined) return inTop;
  }
  return undefined;
}
