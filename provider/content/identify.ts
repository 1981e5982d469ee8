import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, resolve } from "node:path";
import PQueue from "p-queue";
import { isUrl } from "../../shared/publicUrl.ts";
import { ImagesError } from "../errors.ts";
import { findChecksum } from "./checksums.ts";
import { decompressed } from "./decompress.ts";
import { type Digest, formatDigest, parseDigest } from "./digest.ts";
import { type KnownDigests, knownDigests, rememberDigests } from "./digestCache.ts";
import { createHasher } from "./hashing.ts";
import { openFile } from "./localFile.ts";
import { giveBack } from "./parts.ts";
import { interrupted, remoteFacts, remoteText } from "./remote.ts";
import { SharedWork } from "./sharedWork.ts";
import {
  checkSource,
  type FileSource,
  isUrlSource,
  type Source,
  shownSource,
  shownUrl,
  type UrlSource,
} from "./source.ts";

export interface ContentIdentity {
  /**
   * What changes when the data changes. `sha256:<hex>` of a file's own bytes, before any decompression. For a url the digest that was declared
   * or that the checksums file has (which also are of the source's own bytes); else `etag:…`, from the server's ETag or Last-Modified, and length.
   */
  content: string;
  /** Bytes that will be sent (decompressed, if that is asked for), when known. */
  size?: number;
  /** Hex digests of the bytes that will be sent, as far as they are known. */
  digests?: Record<string, string>;
}

export interface IdentifyOptions {
  signal?: AbortSignal;
  /** Called while a file is hashed, with 0 to 1. */
  progress?: (fraction: number) => void;
  /** Algorithms whose digests of the sent bytes are worked out in the same reading of a file, so that its upload needs no hashing. */
  algorithms?: readonly string[];
  /** The identity known from before. A url whose declared digest is still that one isn't asked for: its publisher may have removed it. */
  known?: string;
}

const files = new SharedWork<KnownDigests>();
const texts = new SharedWork<string>();
const facts = new SharedWork<Awaited<ReturnType<typeof remoteFacts>>>();
const hashing = new PQueue({ concurrency: availableParallelism() });

/**
 * Says what a source's content is, without sending it. A file is read once and then known by its path, size, times and inode; for a url only
 * headers and the checksums file are asked for.
 * @throws ImagesError "invalid" (the source's own rules), "content" (no such file, a directory, empty, 404, not what its digest says),
 *   "unavailable" (a url's server), "interrupted"
 */
export async function identify(source: Source, options: IdentifyOptions = {}): Promise<ContentIdentity> {
  const [problem] = checkSource(source);
  if (problem) throw new ImagesError("invalid", `source${problem.path && `.${problem.path}`} ${problem.message}`);
  try {
    return await (isUrlSource(source) ? identifyUrl(source, options) : identifyFile(source, options));
  } catch (error) {
    if (options.signal?.aborted) throw interrupted(options.signal);
    throw error;
  }
}

/** The digest that the source's own bytes must have, if its program or its publisher says so. */
export async function declaredDigest(source: Source, signal: AbortSignal | undefined): Promise<Digest | undefined> {
  if (source.digest !== undefined) return parseDigest(source.digest);
  const { checksums } = source;
  if (checksums === undefined) return undefined;
  const remote = URL.canParse(checksums) && /^https?:/i.test(checksums);
  const text = remote ? await checksumsFromUrl(source, checksums, signal) : await checksumsFromFile(checksums);
  return findChecksum(text, sourceFileName(source), remote ? shownUrl(checksums) : checksums);
}

function checksumsFromUrl(source: Source, checksums: string, signal: AbortSignal | undefined): Promise<string> {
  // The source's headers are for its own host.
  const headers =
    isUrlSource(source) && new URL(source.url).origin === new URL(checksums).origin ? (source.headers ?? {}) : {};
  const key = JSON.stringify([checksums, headers]);
  return texts.run(key, shared => remoteText({ url: checksums, headers }, shared), { signal });
}

async function checksumsFromFile(checksums: string): Promise<string> {
  try {
    return await readFile(resolve(checksums), "utf8");
  } catch (error) {
    throw new ImagesError("content", `the checksums file ${checksums} can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function sourceFileName(source: Source): string {
  if (!isUrlSource(source)) return basename(source.file);
  const last = new URL(source.url).pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

async function identifyUrl(source: UrlSource, { signal, known }: IdentifyOptions): Promise<ContentIdentity> {
  const declared = await declaredDigest(source, signal);
  const content = declared && formatDigest(declared);
  const plain = (source.decompress ?? "none") === "none";
  const digests = plain && declared ? { digests: { [declared.algorithm]: declared.hex } } : {};
  if (content !== undefined && content === known) return { content, ...digests };

  const address = { url: source.url, headers: source.headers ?? {} };
  const { size, version } = await facts.run(JSON.stringify(address), shared => remoteFacts(address, shared), {
    signal,
  });
  if (size === 0) throw new ImagesError("content", `${shownSource(source)} is empty`);
  if (content === undefined && version === undefined)
    throw new ImagesError(
      "content",
      `the server of ${shownSource(source)} gives neither ETag nor Last-Modified, so a change couldn't be seen`,
      {
        hint: "Declare the source's digest, or the publisher's checksums file",
      },
    );
  return { content: content ?? (version as string), ...(plain && size !== undefined ? { size } : {}), ...digests };
}

async function identifyFile(
  source: FileSource,
  { signal, progress, algorithms = [] }: IdentifyOptions,
): Promise<ContentIdentity> {
  const declared = await declaredDigest(source, signal);
  const how = source.decompress ?? "none";
  const wanted = {
    own: [...new Set(["sha256", ...(declared ? [declared.algorithm] : []), ...(how === "none" ? algorithms : [])])],
    sent: how === "none" ? [] : [...new Set(["sha256", ...algorithms])],
  };
  const key = JSON.stringify([resolve(source.file), how, wanted, source.maxSize, source.maxRatio]);
  const { own, decompressed: byHow } = await files.run(
    key,
    (shared, report) => digestFile(source, how, wanted, shared, report),
    { signal, progress },
  );
  if (declared)
    verifyDigest(declared, own, shownSource(source), source.digest === undefined ? source.checksums : undefined);

  const sent = how === "none" ? undefined : byHow[how];
  const size = sent?.size ?? Number(own.size);
  return { content: `sha256:${own.sha256}`, size, digests: sent?.digests ?? withoutSize(own) };
}

function withoutSize({ size: _, ...digests }: Record<string, string>): Record<string, string> {
  return digests;
}

/** Compares what a source turned out to be with what it should be. */
export function verifyDigest(
  expected: Digest,
  digests: Record<string, string>,
  name: string,
  checksums?: string,
): void {
  const { algorithm, hex } = expected;
  const actual = digests[algorithm];
  if (actual === hex) return;
  const says = checksums === undefined ? "it should be" : `${isUrl(checksums) ? shownUrl(checksums) : checksums} says`;
  throw new ImagesError("content", `${name} has ${algorithm} ${actual}, but ${says} ${hex}`, {
    hint: "The digest is of the file as published, before decompression",
  });
}

/** All wanted digests, from the cache or from one reading. `own.size` is the file's size. */
async function digestFile(
  source: FileSource,
  how: string,
  wanted: { own: readonly string[]; sent: readonly string[] },
  signal: AbortSignal,
  progress: (fraction: number) => void,
): Promise<KnownDigests> {
  const file = await openFile(source.file);
  const { stamp } = file;
  const withSize = ({ own, decompressed: byHow }: KnownDigests): KnownDigests => ({
    own: { ...own, size: String(stamp.size) },
    decompressed: byHow,
  });
  try {
    const known = await knownDigests(stamp);
    const missingOwn = wanted.own.filter(algorithm => !known.own[algorithm]);
    const missingSent = wanted.sent.filter(algorithm => !known.decompressed[how]?.digests[algorithm]);
    if (missingOwn.length === 0 && missingSent.length === 0) return withSize(known);

    const found = await hashing.add(
      async () => {
        const began = Date.now();
        const own = createHasher(missingOwn, stamp.size);
        const sent = createHasher(missingSent, undefined);
        const stop = () => file.close();
        signal.addEventListener("abort", stop, { once: true });
        try {
          let read = 0;
          const bytes = (async function* () {
            for await (const chunk of file.read()) {
              await own.update(chunk);
              read += chunk.length;
              progress(read / stamp.size);
              yield chunk;
            }
          })();
          let size = 0;
          // Without decompression nothing is left to do but to pull.
          for await (const chunk of missingSent.length > 0 ? decompressed(bytes, source, source.file) : bytes) {
            size += chunk.length;
            if (missingSent.length > 0) await sent.update(chunk);
            giveBack(chunk);
          }
          if (size === 0) throw new ImagesError("content", `${source.file} is empty when decompressed`);
          const news: KnownDigests = {
            own: await own.digests(),
            decompressed: missingSent.length > 0 ? { [how]: { size, digests: await sent.digests() } } : {},
          };
          await rememberDigests(stamp, began, news);
          return news;
        } finally {
          signal.removeEventListener("abort", stop);
          own.close();
          sent.close();
        }
      },
      { signal },
    );
    const merged: KnownDigests = { own: { ...known.own, ...found.own }, decompressed: { ...known.decompressed } };
    const news = found.decompressed[how];
    if (news)
      merged.decompressed[how] = { size: news.size, digests: { ...known.decompressed[how]?.digests, ...news.digests } };
    return withSize(merged);
  } finally {
    file.close();
  }
}
