import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

/** What an import found out about a file. */
export interface Imported {
  /** sha256 of the bytes as they came, hex. */
  sha256: string;
  /** Bytes as they came. */
  bytes: number;
  /** Size of the disk in the image, bytes. */
  virtualBytes: number;
}

/** Why an import failed: the text becomes the image's `error_message`. */
export class ImportError extends Error {}

/** Enough of a file to know its format: a VMDK or GPT header is in the first blocks. */
const HEAD = 4096;

/**
 * Downloads an image as DigitalOcean does when a custom image is created, and looks whether it is one.
 * raw, qcow2, vhdx, vdi and vmdk are known, as they are or in gzip; what is in bzip2 is taken on trust, as Node can't unpack it.
 * @param maxBytes limit for the unpacked data
 * @throws ImportError with the text that becomes the image's error_message
 */
export async function importImage(url: string, maxBytes: number, signal: AbortSignal): Promise<Imported> {
  const response = await fetch(url, { signal, headers: { accept: "*/*", "accept-encoding": "identity" } }).catch(
    (error: Error) => {
      signal.throwIfAborted();
      throw new ImportError(
        `The image could not be downloaded: ${(error.cause as Error | undefined)?.message ?? error.message}`,
      );
    },
  );
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new ImportError(`The image could not be downloaded: the server answered ${response.status}.`);
  }
  const hash = createHash("sha256");
  let bytes = 0;
  async function* counted(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      hash.update(chunk);
      yield Buffer.from(chunk);
    }
  }
  try {
    const whole = await peek(Readable.fromWeb(response.body).compose(counted) as Readable);
    const unpacked = isGzip(whole.head) ? await peek(whole.stream.compose(createGunzip()) as Readable) : whole;
    const size = await count(unpacked.stream, maxBytes);
    const length = Number(response.headers.get("content-length") ?? bytes);
    if (length !== bytes) throw new ImportError(`The download ended after ${bytes} of ${length} bytes.`);
    return { sha256: hash.digest("hex"), bytes, virtualBytes: virtualSize(unpacked.head, size) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ImportError) throw error;
    throw new ImportError(`The image could not be downloaded: ${(error as Error).message}`);
  }
}

/** Reads the first bytes of a stream, and gives them with a stream that still has all of it. */
async function peek(source: Readable): Promise<{ head: Buffer; stream: Readable }> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first: Buffer[] = [];
  let have = 0;
  while (have < HEAD) {
    const next = await chunks.next();
    if (next.done) break;
    first.push(next.value);
    have += next.value.length;
  }
  async function* all() {
    yield* first;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  return { head: Buffer.concat(first), stream: Readable.from(all(), { objectMode: false }) };
}

async function count(stream: Readable, maxBytes: number): Promise<number> {
  let size = 0;
  await pipeline(stream, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxBytes) throw new ImportError(`The image is larger than ${maxBytes / 1e9} GB.`);
    }
  });
  return size;
}

const isGzip = (head: Buffer) => head[0] === 0x1f && head[1] === 0x8b;

/** The size of the disk that the file holds, from its header. */
function virtualSize(head: Buffer, size: number): number {
  const starts = (text: string, offset = 0) => head.subarray(offset, offset + text.length).toString("latin1") === text;
  if (starts("QFI\xfb")) return Number(head.readBigUInt64BE(24));
  if (starts("KDMV")) return Number(head.readBigUInt64LE(12)) * 512;
  if (starts("# Disk Descriptor") || starts("vhdxfile") || starts("BZh")) return size;
  if (head.length > 0x178 && head.readUInt32LE(0x40) === 0xbeda107f) return Number(head.readBigUInt64LE(0x170));
  if (size >= 512 && !isText(head)) return size;
  throw new ImportError(
    "The file is not a disk image: raw, qcow2, vhdx, vdi and vmdk are supported, as they are or in gzip or bzip2.",
  );
}

/** A raw disk has no signature, but it is never a page of text: an HTML error page served with 200 is the usual mistake. */
function isText(head: Buffer): boolean {
  if (head.some(byte => byte < 0x20 && !"\t\n\f\r".includes(String.fromCharCode(byte)))) return false;
  const text = head.toString("utf8");
  // The last letter may be cut by the end of the head.
  return !text.slice(0, -4).includes("\ufffd");
}
