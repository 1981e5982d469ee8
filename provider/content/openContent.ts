import { Readable } from "node:stream";
import { ImagesError } from "../errors.ts";
import { stallSeconds as usualStall } from "../http/patience.ts";
import { decompressed } from "./decompress.ts";
import { type Digest, parseDigest } from "./digest.ts";
import { knownDigests, rememberDigests } from "./digestCache.ts";
import { createHasher } from "./hashing.ts";
import { type ContentIdentity, declaredDigest, verifyDigest } from "./identify.ts";
import { openFile } from "./localFile.ts";
import { interrupted, openRemote } from "./remote.ts";
import { checkSource, type FileSource, isUrlSource, type Source, shownSource, type UrlSource } from "./source.ts";

export interface Content {
  /** Bytes that the stream will give, when known beforehand. */
  size: number | undefined;
  /** The bytes to send, decompressed if asked for. It fails before its last bytes if the source isn't what it should be. */
  stream: Readable;
  /** After the stream has ended: digests (hex) and count of what was sent. Rejects with the stream's error; needs no handler. */
  finished: Promise<{ size: number; digests: Record<string, string> }>;
  /** Releases everything, at any time. */
  close(): void;
}

export interface OpenOptions {
  /** What identify() said. The source must still be that. */
  expected?: ContentIdentity;
  /** Digests to work out of the bytes that are sent: names as in `crypto.createHash`. */
  algorithms: readonly string[];
  signal?: AbortSignal;
  /** Bytes of the source that were read, and how many there are. Called for each part, so that the caller throttles. */
  progress?: (bytes: number, total: number | undefined) => void;
  /** A download that brings nothing for so long fails. Default 60. */
  stallSeconds?: number;
}

/** The opened source's own bytes, and what is known of them. */
interface Opened {
  /** Bytes of the source itself. */
  size: number | undefined;
  read(): AsyncIterable<Uint8Array>;
  close(): void;
  /** What its own bytes must hash to, still to be checked. */
  verify: Digest[];
  /** Size and digests of what will be sent, where a file is known from before. */
  sent: { size: number; digests: Record<string, string> } | undefined;
  /** Keeps what was worked out for the next time. */
  remember(own: Record<string, string>, sent: { size: number; digests: Record<string, string> }): Promise<void>;
}

/**
 * Opens a source for sending it, in one pass and constant memory: read, checked, decompressed, hashed. Each call begins at the source's beginning.
 * It answers once the first bytes are there, so that a source that can't be read fails before a request is begun.
 *
 * A file that is unchanged since its digests were worked out isn't hashed again.
 * @throws ImagesError "invalid", "content" (not what it should be), "unavailable" (a download that failed: try again), "interrupted"; later
 *   errors come from the stream
 */
export async function openContent(source: Source, options: OpenOptions): Promise<Content> {
  const [problem] = checkSource(source);
  if (problem) throw new ImagesError("invalid", `source${problem.path && `.${problem.path}`} ${problem.message}`);
  return await deliver(source, shownSource(source), options, signal =>
    isUrlSource(source) ? openUrl(source, options, signal) : openLocal(source, options, signal),
  );
}

/** Data that comes as a stream from elsewhere: out of another service, say. */
export interface StreamSource {
  /** What it is, for messages. */
  name: string;
  /** What its bytes must hash to, where that is known: `sha512:<hex>` and so on. */
  digest?: string | undefined;
  open(signal: AbortSignal): Promise<{ size: number | undefined; read(): AsyncIterable<Uint8Array>; close(): void }>;
}

/** The same for data that comes as a stream: checked and hashed on the way, and never given whole when it isn't what it should be. */
export async function openStream(source: StreamSource, options: OpenOptions): Promise<Content> {
  const { name, digest } = source;
  return await deliver({ file: name, ...(digest === undefined ? {} : { digest }) }, name, options, async signal => {
    const verify = digest === undefined ? undefined : parseDigest(digest);
    return {
      ...(await source.open(signal)),
      verify: verify ? [verify] : [],
      sent: undefined,
      remember: async () => {},
    };
  });
}

async function deliver(
  source: Source,
  name: string,
  options: OpenOptions,
  open: (signal: AbortSignal) => Promise<Opened>,
): Promise<Content> {
  const { expected, algorithms, signal, progress } = options;
  const controller = new AbortController();
  const stop = () => controller.abort(signal?.reason);
  if (signal?.aborted) throw interrupted(signal);
  signal?.addEventListener("abort", stop, { once: true });

  let opened: Opened;
  try {
    opened = await open(controller.signal);
  } catch (error) {
    signal?.removeEventListener("abort", stop);
    throw controller.signal.aborted ? interrupted(controller.signal) : error;
  }

  const plain = (source.decompress ?? "none") === "none";
  const size = opened.sent?.size ?? expected?.size ?? (plain ? opened.size : undefined);
  const known = opened.sent?.digests;
  const sentAlgorithms = algorithms.every(algorithm => known?.[algorithm]) ? [] : algorithms;
  const ownAlgorithms = opened.verify.map(({ algorithm }) => algorithm);
  // Without decompression both are of the same bytes.
  const own = createHasher(plain ? [...ownAlgorithms, ...sentAlgorithms] : ownAlgorithms, opened.size);
  const sent = createHasher(plain ? [] : sentAlgorithms, size);

  const release = () => {
    signal?.removeEventListener("abort", stop);
    opened.close();
    own.close();
    sent.close();
    // A stream that was never read from doesn't end what it would have read: a decompressing thread, for one.
    bytes.return(undefined).catch(() => {});
  };

  let ownDigests: Record<string, string> = {};
  async function* checked(): AsyncGenerator<Uint8Array> {
    let read = 0;
    let held: Uint8Array | undefined;
    for await (const bytes of opened.read()) {
      await own.update(bytes);
      read += bytes.length;
      progress?.(read, opened.size);
      if (held) yield held;
      held = bytes;
    }
    ownDigests = await own.digests();
    for (const digest of opened.verify)
      verifyDigest(digest, ownDigests, name, source.digest === undefined ? source.checksums : undefined);
    if (held) yield held;
  }

  let result: { size: number; digests: Record<string, string> } | undefined;
  async function* sending(): AsyncGenerator<Uint8Array> {
    let count = 0;
    let held: Uint8Array | undefined;
    for await (const bytes of decompressed(checked(), source, name)) {
      if (bytes.length === 0) continue;
      await sent.update(bytes);
      count += bytes.length;
      if (size !== undefined && count > size) throw wrongSize(name, size, `more than that`);
      if (held) yield held;
      held = bytes;
    }
    if (!held) throw new ImagesError("content", `${name} is empty${plain ? "" : " when decompressed"}`);
    if (size !== undefined && count !== size) throw wrongSize(name, size, `${count}`);
    const all = { ...known, ...(plain ? ownDigests : await sent.digests()) };
    result = {
      size: count,
      digests: Object.fromEntries(algorithms.map(algorithm => [algorithm, all[algorithm] as string])),
    };
    await opened.remember(ownDigests, { size: count, digests: result.digests });
    yield held;
  }

  const bytes = sending();
  controller.signal.addEventListener("abort", release, { once: true });
  let first: IteratorResult<Uint8Array>;
  try {
    first = await bytes.next();
  } catch (error) {
    release();
    throw controller.signal.aborted ? interrupted(controller.signal) : error;
  }
  const stream = Readable.from(startingWith(first, bytes, controller.signal), {
    objectMode: false,
    highWaterMark: 1024 * 1024,
  });
  const finished = new Promise<{ size: number; digests: Record<string, string> }>((resolve, reject) => {
    stream.once("end", () => resolve(result as NonNullable<typeof result>));
    stream.once("error", reject);
    stream.once("close", () => {
      reject(new ImagesError("interrupted", `reading ${name} was ended`));
      controller.abort();
      release();
    });
  });
  finished.catch(() => {});
  controller.signal.addEventListener("abort", () => stream.destroy(signal?.aborted ? interrupted(signal) : undefined), {
    once: true,
  });
  return { size, stream, finished, close: () => controller.abort() };
}

async function* startingWith(
  first: IteratorResult<Uint8Array>,
  rest: AsyncGenerator<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } catch (error) {
    throw signal.aborted ? interrupted(signal) : error;
  }
}

async function openLocal(
  source: FileSource,
  { expected, algorithms }: OpenOptions,
  signal: AbortSignal,
): Promise<Opened> {
  const file = await openFile(source.file);
  try {
    const began = Date.now();
    const { stamp } = file;
    const { own, decompressed: byHow } = await knownDigests(stamp);
    const how = source.decompress ?? "none";
    const verify: Digest[] = [];
    for (const digest of [parseDigest(expected?.content ?? ""), await declaredDigest(source, signal)]) {
      if (!digest || own[digest.algorithm] === digest.hex) continue;
      // Known to differ, or not known yet.
      if (own[digest.algorithm]) verifyDigest(digest, own, source.file);
      verify.push(digest);
    }
    if (how === "none" && expected?.size !== undefined && expected.size !== stamp.size)
      throw wrongSize(source.file, expected.size, `${stamp.size}`);
    const sent = how === "none" ? { size: stamp.size, digests: own } : byHow[how];
    const complete = sent && algorithms.every(algorithm => sent.digests[algorithm]);
    return {
      size: stamp.size,
      read: file.read,
      close: file.close,
      verify,
      sent,
      remember: async (ownNews, { size, digests }) => {
        if (!complete || verify.length > 0)
          await rememberDigests(stamp, began, {
            own: ownNews,
            decompressed: how === "none" ? {} : { [how]: { size, digests } },
          });
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function openUrl(
  source: UrlSource,
  { expected, stallSeconds = usualStall() }: OpenOptions,
  signal: AbortSignal,
): Promise<Opened> {
  // identify() already read the publisher's checksums file.
  const fromExpected = source.digest === undefined && expected ? parseDigest(expected.content) : undefined;
  const declared = fromExpected ?? (await declaredDigest(source, signal));
  const download = await openRemote({ url: source.url, headers: source.headers ?? {} }, { signal, stallSeconds });
  const name = shownSource(source);
  try {
    if (download.size === 0) throw new ImagesError("content", `${name} is empty`);
    if (expected?.content.startsWith("etag:") && download.version !== expected.content)
      throw new ImagesError(
        "content",
        `${name} changed since it was identified: it was ${expected.content.slice(5)}, it is ${download.version?.slice(5) ?? "without ETag"}`,
        { hint: "Run again" },
      );
    const plain = (source.decompress ?? "none") === "none";
    if (plain && expected?.size !== undefined && download.size !== undefined && download.size !== expected.size)
      throw wrongSize(name, expected.size, `${download.size}`);
  } catch (error) {
    download.close();
    throw error;
  }
  const verify = declared ? [declared] : [];
  return {
    size: download.size,
    read: download.read,
    close: download.close,
    verify,
    sent: undefined,
    remember: async () => {},
  };
}

function wrongSize(name: string, expected: number, actual: string): ImagesError {
  return new ImagesError("content", `${name} should give ${expected} bytes, but gives ${actual}`, {
    hint: "It changed since it was identified, or is damaged",
  });
}
