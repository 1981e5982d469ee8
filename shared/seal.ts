import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * A program and its provider are two processes that reach each other through the engine only, and the engine writes all that passes into
 * its logs at -v 9, secrets too. What is secret in a source is therefore sealed on the way: by a key that lies in a file which only this
 * user can read, and that never leaves the machine. A sealed text is of no use elsewhere, or later.
 */
const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/** @throws Error when the user's cache folder can't be written */
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
  if (known !== undefined) return known;
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-images");
  const file = join(folder, "seal.key");
  known = read(file);
  if (known === undefined) {
    mkdirSync(folder, { recursive: true });
    const fresh = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
    writeFileSync(fresh, randomBytes(32), { mode: 0o600 });
    try {
      // Whoever is first makes the key; all others take that one.
      linkSync(fresh, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      rmSync(fresh);
    }
    known = read(file);
  }
  if (known === undefined) throw new Error(`${file} doesn't hold a key of 32 bytes: delete it`);
  return known;
}

function read(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    return bytes.length === 32 ? bytes : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
