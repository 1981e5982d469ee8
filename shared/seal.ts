import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { lstatSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "./files.ts";
import { cacheFolder, type Machine, temporaryFolder, thisMachine } from "./folders.ts";

/**
 * A program and its provider are two processes that reach each other through the engine only, and the engine writes all that passes into
 * its logs at -v 9, secrets too. What is secret in a source is therefore sealed on the way: by a key that lies in a file which only this
 * user can read, and that never leaves the machine. A sealed text is of no use elsewhere, or later.
 */
const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/** @throws Error when neither the user's cache folder nor that of temporary files can be written */
export function seal(text: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key(), nonce);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
}

/** @throws Error when it was sealed on another machine, or by another user */
export function unseal(sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv(algorithm, key(), bytes.subarray(0, nonceBytes));
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString("utf8");
}

let known: Buffer | undefined;

function key(): Buffer {
  known ??= keyOfUser();
  return known;
}

/**
 * The key in the user's cache folder, or among the temporary files where that can't be written: a read-only system, a user without a
 * folder. Program and provider look in the same order, so that they come to the same one.
 */
export function keyOfUser(machine: Machine = thisMachine): Buffer {
  const cache = cacheFolder(machine);
  const temporary = temporaryFolder(machine);
  const ways = [
    ...(cache === undefined ? [] : [() => keyIn(cache)]),
    () => {
      makePrivate(temporary, machine.uid);
      return keyIn(temporary);
    },
  ];
  const failures: string[] = [];
  for (const way of ways) {
    try {
      return way();
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  throw new Error(
    `the secrets of a source need a key in a file, which can't be written: ${failures.join("; ")}. Set XDG_CACHE_HOME to a folder that can be written`,
  );
}

/** Others can make folders among the temporary files, too: only one of this user's that nobody else may enter will do. */
function makePrivate(folder: string, uid: number | undefined): void {
  makeFolder(folder);
  const found = lstatSync(folder);
  // On Windows, the folder for temporary files is the user's own.
  if (uid === undefined) return;
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0)
    throw new Error(`${folder} isn't this user's alone`);
}

/**
 * The key is in a folder of its own, which gets its name with the key in it: a folder that has something in it is never replaced. Whoever
 * is first makes the key so, all others take that one. (A hard link would do as well, but not every file system has them.)
 */
function keyIn(folder: string): Buffer {
  const place = join(folder, "seal");
  const there = read(place);
  if (there !== undefined) return there;
  makeFolder(folder);
  const fresh = mkdtempSync(`${place}-`);
  try {
    writeFileSync(join(fresh, "key"), randomBytes(keyBytes), { mode: 0o600 });
    renameSync(fresh, place);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another one's key is there meanwhile.
    const theirs = read(place);
    if (theirs !== undefined) return theirs;
    throw error;
  }
  return read(place) as Buffer;
}

function read(place: string): Buffer | undefined {
  try {
    const bytes = readFileSync(join(place, "key"));
    if (bytes.length === keyBytes) return bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  throw new Error(`${join(place, "key")} doesn't hold a key of ${keyBytes} bytes: delete it`);
}
