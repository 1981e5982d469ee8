import { type BigIntStats, mkdirSync, statSync } from "node:fs";
import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** What Windows answers while a virus scanner, an indexer or a backup holds a file. */
const heldCodes = ["EPERM", "EACCES", "EBUSY"];
/** In all, for some two seconds. */
const pausesMs = [10, 20, 50, 100, 200, 400, 600, 600];

/** Gives a file another's name, and its place. On Windows, others may hold it for a moment: that is waited for. */
export async function replaceFile(
  from: string,
  to: string,
  { platform = process.platform, move = rename }: { platform?: NodeJS.Platform; move?: typeof rename } = {},
): Promise<void> {
  for (const ms of platform === "win32" ? pausesMs : []) {
    try {
      return await move(from, to);
    } catch (error) {
      if (!heldCodes.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      await pause(ms);
    }
  }
  return await move(from, to);
}

/**
 * Whether what a path leads to is what a handle was opened on. The device isn't compared: on Windows, Node 22.12 to 22.16 and 24.0 to 24.1
 * give it in two forms, by path and by handle.
 */
export function isSameFile(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino;
}

/**
 * Makes a folder that only this user may enter, and the folders that it is in; one that is there already stays as it is. Node's own `mkdir` with
 * `recursive` never ends where a folder that is there takes no new ones and says ENOENT, as /proc does.
 * @throws the system's error where that isn't possible
 */
export function makeFolder(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === path) throw error;
    makeFolder(parent);
    // Another process may have made it meanwhile.
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === "EEXIST" && statSync(path).isDirectory();
    if (!isThere) throw error;
  }
}
