import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { FileStamp } from "./localFile.ts";

/** What is known of one file's bytes, as long as its stamp stays the same. */
export interface KnownDigests {
  /** Of the file's own bytes: hex by algorithm. */
  own: Record<string, string>;
  /** Of what comes out when it is decompressed, by the source's `decompress`. */
  decompressed: Record<string, { size: number; digests: Record<string, string> }>;
}

interface Entry extends KnownDigests {
  version: 1;
  path: string;
  stamp: string;
}

const inProcess = new Map<string, Entry>();

/** Where the cache is: one small JSON file for each path that was ever hashed. It may be deleted at any time. */
export function digestCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-images", "digests");
}

function entryFile(path: string): string {
  return join(digestCacheFolder(), `${createHash("sha256").update(path).digest("hex").slice(0, 40)}.json`);
}

function stampText({ dev, ino, size, mtimeNs, ctimeNs }: FileStamp): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

/** What is known of the file as it is now; nothing if it changed since. */
export async function knownDigests(file: FileStamp): Promise<KnownDigests> {
  const stamp = stampText(file);
  let entry = inProcess.get(file.path);
  if (entry?.stamp !== stamp) {
    entry = await readEntry(file.path);
    if (entry) inProcess.set(file.path, entry);
  }
  return entry?.stamp === stamp ? { own: entry.own, decompressed: entry.decompressed } : { own: {}, decompressed: {} };
}

async function readEntry(path: string): Promise<Entry | undefined> {
  try {
    const entry = JSON.parse(await readFile(entryFile(path), "utf8")) as Partial<Entry>;
    return entry.version === 1 && entry.path === path && entry.stamp && entry.own && entry.decompressed
      ? (entry as Entry)
      : undefined;
  } catch {
    return undefined; // none yet, or damaged: as good as none
  }
}

/**
 * Remembers digests for the file as it was when the reading began.
 * @param readingBegan ms since epoch. A file written just before may change once more within the same tick of its file system's clock, so that
 *   its stamp wouldn't show it: such a file isn't remembered (git calls this "racily clean").
 */
export async function rememberDigests(
  file: FileStamp,
  readingBegan: number,
  news: Partial<KnownDigests>,
): Promise<void> {
  const coarseClock = file.mtimeNs % 1_000_000_000n === 0n;
  const changed = Math.max(Number(file.mtimeNs / 1_000_000n), Number(file.ctimeNs / 1_000_000n));
  if (readingBegan - changed < (coarseClock ? 2500 : 100)) return;

  const old = await knownDigests(file);
  const entry: Entry = {
    version: 1,
    path: file.path,
    stamp: stampText(file),
    own: { ...old.own, ...news.own },
    decompressed: { ...old.decompressed },
  };
  for (const [how, { size, digests }] of Object.entries(news.decompressed ?? {}))
    entry.decompressed[how] = { size, digests: { ...old.decompressed[how]?.digests, ...digests } };
  inProcess.set(file.path, entry);

  const target = entryFile(file.path);
  const temporary = `${target}.${randomUUID()}`;
  try {
    await mkdir(digestCacheFolder(), { recursive: true, mode: 0o700 });
    await writeFile(temporary, JSON.stringify(entry), { mode: 0o600 });
    await rename(temporary, target);
  } catch {
    // A cache that can't be written (a read-only home) costs time, nothing else.
    await rm(temporary, { force: true }).catch(() => {});
  }
}
