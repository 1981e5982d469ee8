import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { replaceFile } from "../shared/files.ts";
import { temporaryFolder, cacheFolder as userCacheFolder } from "../shared/folders.ts";

/** The folder that outlives a clone: what is slow to make is kept here, by name and version. */
export function cacheFolder(): string {
  return userCacheFolder() ?? temporaryFolder();
}

/**
 * A folder of the cache, made by `make` the first time it is asked for.
 *
 * `make` fills an empty folder, which gets its name by one rename after `make` returned: whatever has the name is
 * whole. Processes that ask at the same time wait for the one that makes it.
 * @param name the folder's name, with the version of everything it depends on
 * @param make fills the folder; paths inside must stay right when the folder is renamed
 * @param waiting told once, when another process is already making it
 * @returns the folder's path
 */
export async function cached(
  name: string,
  make: (folder: string) => Promise<void>,
  waiting: (message: string) => void = () => {},
): Promise<string> {
  const folder = join(cacheFolder(), name);
  if (await exists(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const unlock = await lock(`${folder}.lock`, waiting);
  try {
    if (await exists(folder)) return folder;
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial);
    try {
      await make(partial);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
    await replaceFile(partial, folder);
    return folder;
  } finally {
    await unlock();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Holds `path` as a folder with its owner's process id inside; a lock whose owner is gone is taken over. */
async function lock(path: string, waiting: (message: string) => void): Promise<() => Promise<void>> {
  const ownerFile = join(path, "pid");
  for (let told = false; ; await sleep(250)) {
    try {
      await mkdir(path);
      await writeFile(ownerFile, String(process.pid));
      return () => rm(path, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = await lockOwner(path, ownerFile);
    if (owner === "gone") {
      // Renaming first: of several that see the dead owner, one gets the folder, the others try again.
      const grave = `${path}.${process.pid}`;
      await rename(path, grave).then(
        () => rm(grave, { recursive: true, force: true }),
        () => {},
      );
    } else if (!told && owner !== "unknown") {
      told = true;
      waiting(`waiting for process ${owner}, which is already at it`);
    }
  }
}

async function lockOwner(path: string, ownerFile: string): Promise<number | "gone" | "unknown"> {
  const pid = Number(await readFile(ownerFile, "utf8").catch(() => ""));
  if (pid > 0) return isAlive(pid) ? pid : "gone";
  // Between mkdir and the file with the id lie microseconds: a lock without an id for long is an interrupted one.
  const age = await stat(path).then(
    found => Date.now() - found.mtimeMs,
    () => 0,
  );
  return age > 10_000 ? "gone" : "unknown";
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
