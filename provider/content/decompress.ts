import { on } from "node:events";
import { availableParallelism } from "node:os";
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import PQueue from "p-queue";
import { ImagesError } from "../errors.ts";
import type { DecoderAnswer, DecoderRequest } from "./decoderWorker.ts";
import type { Compression, Source } from "./source.ts";
import { startWorker } from "./worker.ts";

type Bytes = AsyncIterable<Uint8Array>;

/** Up to here any ratio is fine: a limit on small data would only hit honest zero-filled images. */
const freeSize = 100 * 1024 * 1024;
const defaultRatio = 1000;
const outputChunk = 512 * 1024;

const magic: Record<Compression, readonly number[]> = {
  gz: [0x1f, 0x8b],
  bz2: [0x42, 0x5a, 0x68],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  zst: [0x28, 0xb5, 0x2f, 0xfd],
};
const longestMagic = 6;

/** The compression that data beginning like this has. */
export function detectCompression(start: Uint8Array): Compression | undefined {
  return (Object.keys(magic) as Compression[]).find(name => magic[name].every((byte, i) => start[i] === byte));
}

/** Whether zstd can be decompressed here (Node 22.15 and later). */
export function canDecompress(compression: Compression): boolean {
  return compression !== "zst" || typeof zlib.createZstdDecompress === "function";
}

/**
 * Undoes the source's compression, if it is to be undone. Fails on data that isn't of that kind, is truncated, damaged or followed by
 * something else (concatenated members, and zeros after gz, are fine), and on more than the source's limits allow.
 * @param name of the source, for errors
 */
export async function* decompressed(input: Bytes, source: Source, name: string): AsyncGenerator<Uint8Array> {
  const wanted = source.decompress ?? "none";
  if (wanted === "none") return yield* input;

  const { start, all } = await peek(input);
  const found = detectCompression(start);
  if (wanted === "auto" && !found) return yield* all;
  const compression = wanted === "auto" ? (found as Compression) : wanted;
  // A zstd file may also begin with a skippable frame, whose magic has 16 forms.
  const skippable = compression === "zst" && start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18;
  if (found !== compression && !skippable)
    throw new ImagesError(
      "content",
      `${name} isn't ${compression} data: it begins with ${Buffer.from(start.subarray(0, longestMagic)).toString("hex")}${found ? `, which is ${found}` : ""}`,
      {
        hint: found ? `Set decompress to "${found}" or "auto"` : "Leave decompress away to send the data as it is",
      },
    );

  let read = 0;
  let given = 0;
  const counted = (async function* () {
    for await (const bytes of all) {
      read += bytes.length;
      yield bytes;
    }
  })();
  const { maxSize = Number.POSITIVE_INFINITY, maxRatio = defaultRatio } = source;
  try {
    for await (const bytes of decode(counted, compression)) {
      given += bytes.length;
      if (given > maxSize)
        throw new ImagesError("content", `${name} is more than ${maxSize} bytes when decompressed`, {
          hint: "That is its maxSize",
        });
      if (given > freeSize && given > read * maxRatio)
        throw new ImagesError(
          "content",
          `${name} grows more than ${maxRatio} times when decompressed (${given} bytes from ${read})`,
          {
            hint: "If that is right, as for an almost empty disk, set maxRatio higher",
          },
        );
      yield bytes;
    }
  } catch (error) {
    throw decodingError(error, compression, name);
  }
}

function decode(input: Bytes, compression: Compression): Bytes {
  if (compression === "gz") return members(input, () => zlib.createGunzip({ chunkSize: outputChunk }));
  if (compression === "zst") {
    if (!canDecompress("zst"))
      throw new ImagesError("unsupported", "zst needs Node 22.15 or later", {
        hint: `This is Node ${process.versions.node}`,
      });
    return members(input, () => zlib.createZstdDecompress({ chunkSize: outputChunk }));
  }
  return inThread(input, compression);
}

async function peek(input: Bytes): Promise<{ start: Uint8Array; all: Bytes }> {
  const iterator = input[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let length = 0;
  while (length < longestMagic) {
    const { done, value } = await iterator.next();
    if (done) break;
    first.push(value);
    length += value.length;
  }
  const all = (async function* () {
    try {
      yield* first;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
  return { start: Buffer.concat(first).subarray(0, longestMagic), all };
}

/**
 * Runs zlib over concatenated members. Node's zstd silently drops what follows a frame that ends inside a chunk, and its gunzip
 * what follows a zero byte after a member; so each decoder's unread rest is looked at, and given to another one.
 */
async function* members(input: Bytes, create: () => Transform & { bytesWritten: number }): AsyncGenerator<Uint8Array> {
  const iterator = input[Symbol.asyncIterator]();
  let rest: Uint8Array | undefined;
  let ended = false;
  try {
    while (!ended || rest) {
      const decoder = create();
      let fed = 0;
      let last: Uint8Array = new Uint8Array();
      let finished = false;
      const stopped = new Promise<void>(resolve => {
        decoder.once("end", resolve);
        decoder.once("close", resolve);
      }).then(() => {
        finished = true;
      });
      const feeding = (async () => {
        while (!finished) {
          let bytes = rest;
          rest = undefined;
          if (!bytes) {
            const next = await iterator.next();
            if (next.done) {
              ended = true;
              decoder.end();
              return;
            }
            bytes = next.value;
          }
          last = bytes;
          fed += bytes.length;
          const chunk = bytes;
          // At its end a decoder calls back or not, as it happens; what it didn't take then stays for the next one.
          await Promise.race([stopped, new Promise<void>(resolve => decoder.write(chunk, () => resolve()))]);
          if (decoder.bytesWritten < fed) return;
        }
      })();
      feeding.catch(error => decoder.destroy(error));
      try {
        yield* decoder as AsyncIterable<Uint8Array>;
        await feeding;
      } finally {
        decoder.destroy();
      }
      const unread = fed - decoder.bytesWritten;
      if (unread > 0) rest = last.subarray(last.length - unread);
      if (rest?.[0] === 0) {
        await onlyZeros(rest, iterator);
        return;
      }
    }
  } finally {
    await iterator.return?.();
  }
}

async function onlyZeros(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): Promise<void> {
  let bytes: Uint8Array = first;
  for (;;) {
    if (bytes.some(byte => byte !== 0)) throw new Error("something else follows the compressed data");
    const next = await iterator.next();
    if (next.done) return;
    bytes = next.value;
  }
}

/** Each decoder of this kind is a thread with its own dictionary in memory (up to 64 MiB for xz), so there are only a few at once. */
const decoders = new PQueue({ concurrency: Math.max(2, availableParallelism()) });

async function* inThread(input: Bytes, compression: "xz" | "bz2"): AsyncGenerator<Uint8Array> {
  const release = await slot(decoders);
  const iterator = input[Symbol.asyncIterator]();
  const worker = startWorker("decoderWorker", compression);
  const answer = (request: DecoderRequest) => worker.postMessage(request);
  try {
    for await (const [message] of on(worker, "message", { close: ["exit"] }) as AsyncIterable<[DecoderAnswer]>) {
      if (message.kind === "need") {
        const { done, value } = await iterator.next();
        answer({ kind: "input", bytes: done ? undefined : value });
      } else if (message.kind === "output") {
        answer({ kind: "taken" });
        yield message.bytes;
      } else if (message.kind === "error") throw new Error(message.message);
      else return;
    }
    throw new Error("the decompressing thread ended early");
  } finally {
    release();
    await Promise.all([worker.terminate(), iterator.return?.()]);
  }
}

function slot(queue: PQueue): Promise<() => void> {
  return new Promise(resolve => {
    void queue.add(() => new Promise<void>(release => resolve(release)));
  });
}

/** Errors of xz-embedded, which xz-decompress gives as numbers. */
const xzErrors: Record<string, string> = {
  "3": "needs too much memory to decompress",
  "4": "needs a larger dictionary than can be decompressed here (64 MiB)",
  "5": "isn't xz data",
  "6": "uses an xz option that can't be decompressed here (a BCJ filter or a SHA-256 check)",
  "7": "is damaged",
  "8": "is truncated, damaged, or followed by something else",
};

function decodingError(error: unknown, compression: Compression, name: string): unknown {
  if (error instanceof ImagesError) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  const number = /^get_next_output failed with error code (\d+)/.exec(message)?.[1];
  if (compression === "xz" && number) {
    const option = number === "4" || number === "6";
    return new ImagesError(
      "content",
      `${name} ${xzErrors[number] ?? `can't be decompressed (xz error ${number})`}`,
      option ? { hint: "Decompress it beforehand with `xz -d`, and give the result", cause: error } : { cause: error },
    );
  }
  if (code === "ZSTD_error_frameParameter_windowTooLarge")
    return new ImagesError(
      "content",
      `${name} was compressed with a window larger than 128 MiB (zstd --long or --ultra)`,
      { hint: "Decompress it beforehand with `zstd -d --long=31`, and give the result", cause: error },
    );
  if (code === "Z_BUF_ERROR")
    return new ImagesError("content", `${name} is truncated: its ${compression} data ends too early`, { cause: error });
  return new ImagesError("content", `${name} can't be decompressed as ${compression}: ${message}`, { cause: error });
}
