import { createHash, randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder, replaceFile } from "../../shared/files.ts";
import { cacheFolder, type Machine, thisMachine } from "../../shared/folders.ts";
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
export function digestCacheFolder(machine: Machine = thisMachine): string | undefined {
  const cache = cacheFolder(machine);
  return cache === undefined ? undefined : join(cache, "digests");
}

function entryFile(path: string): string | undefined {
  const folder = digestCacheFolder();
  return folder && join(folder, `${createHash("sha256").update(path).digest("hex").slice(0, 40)}.json`);
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
  const file = entryFile(path);
  if (file === undefined) return undefined;
  try {
    const entry = JSON.parse(await readFile(file, "utf8")) as Partial<Entry>;
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
  if (isRacy(file, readingBegan)) return;

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
  if (target === undefined) return;
  const temporary = `${target}.${randomUUID()}`;
  try {
    makeFolder(dirname(target));
    await writeFile(temporary, JSON.stringify(entry), { mode: 0o600 });
    await replaceFile(temporary, target);
  } catch {
    // A cache that can't be written (a read-only home) costs time, nothing else.
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/**
 * A time of change that lies in the future (an archive's, another clock's) says nothing by itself: the next write sets it back. What counts
 * is then when the file system noted the change.
 */
function isRacy({ mtimeNs, ctimeNs }: FileStamp, readingBegan: number): boolean {
  const second = 1_000_000_000n;
  const isCoarse = mtimeNs % second === 0n && ctimeNs % second === 0n;
  const [written, noted] = [mtimeNs, ctimeNs].map(time => Number(time / 1_000_000n)) as [number, number];
  const changed = written > readingBegan ? noted : Math.max(written, noted);
  return readingBegan - changed < (isCoarse ? 2500 : 100);
}
