import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What is known of data once it is stored. `digests` are lower-case hex by algorithm. */
export interface BlobInfo {
  size: number;
  digests: Record<string, string>;
}

/** A folder of big files, each under an id, written and read as streams in constant memory. */
export interface Blobs {
  /**
   * Stores a stream: to a temporary file, hashed on the way, renamed when all of it is in. When the source fails, nothing is left.
   * @param algorithms names for node:crypto, such as "md5" and "sha512"
   * @param stages streams that the data goes through first (a size limit, an inspection)
   */
  write(id: string, source: Readable, algorithms: string[], stages?: Transform[]): Promise<BlobInfo>;
  /** The data, or a part of it: `start` and `end` are byte offsets, both inclusive. */
  read(id: string, range?: { start?: number; end?: number }): Readable;
  /** Size in bytes, or undefined when there is no such blob. */
  size(id: string): Promise<number | undefined>;
  /** Copies data within the folder, or to another one. */
  copy(id: string, to: string, target?: Blobs): Promise<void>;
  /** Gives the data another id. */
  rename(id: string, to: string): Promise<void>;
  /** Removes the data; it need not be there. */
  remove(id: string): Promise<void>;
  /** The file that holds the data. */
  path(id: string): string;
}

/** Opens a folder of blobs, making it if need be. What an earlier process left half written is removed. */
export async function openBlobs(dir: string): Promise<Blobs> {
  await mkdir(dir, { recursive: true });
  for (const name of await readdir(dir)) if (name.endsWith(".part")) await rm(join(dir, name), { force: true });
  let parts = 0;
  const path = (id: string) => join(dir, encodeURIComponent(id));

  return {
    path,
    async write(id, source, algorithms, stages = []) {
      const temporary = `${path(id)}.${++parts}.part`;
      const meter = new Meter(algorithms);
      try {
        await pipeline([source, ...stages, meter, createWriteStream(temporary)]);
        await rename(temporary, path(id));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
      return meter.info();
    },
    read: (id, range) => createReadStream(path(id), { ...range, highWaterMark: 256 * 1024 }),
    async size(id) {
      try {
        return (await stat(path(id))).size;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async copy(id, to, target) {
      const end = target ? target.path(to) : path(to);
      const temporary = `${end}.${++parts}.copy.part`;
      await copyFile(path(id), temporary);
      await rename(temporary, end);
    },
    rename: (id, to) => rename(path(id), path(to)),
    remove: id => rm(path(id), { force: true }),
  };
}

/** Counts and hashes what goes through. */
class Meter extends Transform {
  readonly #hashes: [string, Hash][];
  #size = 0;

  constructor(algorithms: string[]) {
    super();
    this.#hashes = algorithms.map(name => [name, createHash(name)]);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void) {
    this.#size += chunk.length;
    for (const [, hash] of this.#hashes) hash.update(chunk);
    done(null, chunk);
  }

  info(): BlobInfo {
    return {
      size: this.#size,
      digests: Object.fromEntries(this.#hashes.map(([name, hash]) => [name, hash.digest("hex")])),
    };
  }
}
