import { constants, createReadStream } from "node:fs";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isSameFile, replaceFile } from "../../shared/files.ts";
import { createHasher, type Hasher } from "../content/hashing.ts";
import { giveBack } from "../content/parts.ts";
import { ImagesError } from "../errors.ts";
import { flag, text } from "../fields/values.ts";
import type { Services } from "../runtime.ts";
import type { OpenedData } from "../services/lookups.ts";
import type { ImageFacts, Values } from "../services/service.ts";
import { digestOf } from "../services/storedData.ts";
import { noSuchImage } from "./images.ts";
import { lookup, serviceFor } from "./services.ts";

/** What a download came to. */
export interface Downloaded {
  imageId: string;
  /** The file's whole path. */
  file: string;
  /** Bytes. */
  size: number;
  /** `<algorithm>:<hex>` of the data, which the service's own digest was held against; undefined where the service reports none. */
  digest?: string;
  /** Bytes that came over the network this time: none when the file was there already, fewer than its size when an earlier try was continued. */
  received: number;
}

export interface DownloadOptions {
  signal?: AbortSignal;
  /** @param bytes in the file so far; @param total its size when it is whole, where known */
  progress?: (bytes: number, total: number | undefined) => void;
}

/** How often a download that the network breaks is continued before it is given up. */
const tries = 4;

/**
 * Writes an image's data to a file. It is written to `<file>.<image id>.part` and gets its name when it is whole, on the disk, and has the
 * digest that the service reports. What an interrupted download left there is continued, where the service allows it and says what the whole
 * has to be. A file that has the image's data already is left as it is.
 *
 * @throws ImagesError "not-found"; "conflict" where the image has no data, or another file is there and `overwrite` isn't true; "content"
 * where what came isn't what the service says it is
 */
export async function downloadImage(
  services: Services,
  args: Values,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const fields = {
    imageId: text({ what: "imageId", min: 1 }),
    file: text({ what: "file", min: 1 }),
    overwrite: flag("overwrite"),
  };
  const service = serviceFor(services, args, fields, ({ imageId, file }) =>
    Object.entries({ imageId, file })
      .filter(([, value]) => value === undefined)
      .map(([property]) => ({ property, reason: `downloadImage needs ${property}` })),
  );
  const openData = lookup(service, "openData");
  const imageId = String(args.imageId);
  const image = await service.readImage(imageId);
  if (image === undefined) throw noSuchImage(service, { id: imageId });
  const file = resolve(String(args.file));
  const download = new Download(image, file, (from, signal) => openData(image.id, from, signal), options);
  if (await download.isThere(args.overwrite === true)) return download.result(0);
  await download.fetch();
  return download.result(download.received);
}

class Download {
  /** Bytes from the network. */
  received = 0;
  readonly #image: ImageFacts;
  readonly #file: string;
  readonly #part: string;
  readonly #open: (from: number, signal: AbortSignal) => Promise<OpenedData | undefined>;
  readonly #signal: AbortSignal;
  readonly #progress: NonNullable<DownloadOptions["progress"]>;
  /** What the service says that the whole is. */
  readonly #digest: { algorithm: string; hex: string } | undefined;
  #size: number | undefined;

  constructor(
    image: ImageFacts,
    file: string,
    open: (from: number, signal: AbortSignal) => Promise<OpenedData | undefined>,
    options: DownloadOptions,
  ) {
    this.#image = image;
    this.#file = file;
    // An image's data never changes, so that this name is that of this data.
    this.#part = `${file}.${image.id.replace(/[^\w.-]/g, "_")}.part`;
    this.#open = open;
    this.#signal = options.signal ?? new AbortController().signal;
    this.#progress = options.progress ?? (() => {});
    const [algorithm, hex] = digestOf(image)?.split(":") ?? [];
    this.#digest = algorithm === undefined || hex === undefined ? undefined : { algorithm, hex };
    this.#size = image.size as number | undefined;
  }

  result(received: number): Downloaded {
    return {
      imageId: this.#image.id,
      file: this.#file,
      size: this.#size as number,
      ...(this.#digest === undefined ? {} : { digest: `${this.#digest.algorithm}:${this.#digest.hex}` }),
      received,
    };
  }

  /** Whether the file has the image's data already. @throws ImagesError "conflict" where it has other data that may not be lost */
  async isThere(overwrite: boolean): Promise<boolean> {
    const there = await stat(this.#file).catch(() => undefined);
    if (there === undefined) return false;
    if (!there.isFile()) throw new ImagesError("invalid", `${this.#file} is there, and isn't a file`);
    if (this.#digest !== undefined && there.size === this.#size) {
      const hasher = this.#hasher();
      await this.#hashFile(this.#file, hasher);
      if (await this.#isRight(hasher)) return true;
    }
    if (overwrite) return false;
    throw new ImagesError("conflict", `${this.#file} is there already, with other data than image ${this.#image.id}`, {
      hint: "Name another file, or set overwrite",
    });
  }

  /** Brings the whole of the data into the file. */
  async fetch(): Promise<void> {
    let furthest = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        const before = await this.#kept();
        // As long as each try gets further than the ones before, the network is just slow.
        if (before > furthest) attempt = 1;
        furthest = Math.max(furthest, before);
        if (await this.#fetchRest(before)) return;
        await rm(this.#part, { force: true });
        // What was kept of an earlier try may have been damaged since: the whole of it once more tells.
        if (before > 0) continue;
        throw new ImagesError(
          "content",
          `what came of image ${this.#image.id} isn't what the service says it is (${this.#digest?.algorithm} ${this.#digest?.hex})`,
          { hint: "Something between here and the service changes the data, or the service's own copy is damaged" },
        );
      } catch (error) {
        if (this.#signal.aborted) throw interrupted(this.#part, error);
        if (!(error instanceof ImagesError) || error.code !== "unavailable" || attempt === tries) throw error;
        await pause(250 * 2 ** attempt, undefined, { signal: this.#signal }).catch(cause => {
          throw interrupted(this.#part, cause);
        });
      }
    }
  }

  /** How much of the data there is from an earlier try; none that couldn't be told right from wrong in the end. */
  async #kept(): Promise<number> {
    const kept = (await stat(this.#part).catch(() => undefined))?.size ?? 0;
    if (kept === 0 || (this.#digest !== undefined && (this.#size === undefined || kept <= this.#size))) return kept;
    await rm(this.#part, { force: true });
    return 0;
  }

  /** @returns whether the file is what it should be: then it has its name */
  async #fetchRest(kept: number): Promise<boolean> {
    const hasher = this.#hasher();
    let handle: FileHandle | undefined;
    let keeping: Promise<unknown> = Promise.resolve();
    try {
      let at = kept;
      if (kept > 0) await this.#hashFile(this.#part, hasher);
      if (this.#size === undefined || at < this.#size || at === 0) {
        const data = await this.#open(kept, this.#signal);
        if (data === undefined) throw noData(this.#image);
        if (data.from !== kept) {
          data.stream.destroy();
          // The service doesn't continue: from the beginning, then.
          if (kept === 0) throw new ImagesError("content", `the service began at byte ${data.from}`);
          await rm(this.#part, { force: true });
          return await this.#fetchRest(0);
        }
        handle = await open(this.#part, constants.O_RDWR | constants.O_CREAT).catch(error => {
          data.stream.destroy();
          throw cannotWrite(this.#part, error);
        });
        // One chunk is written and hashed while the next ones come; what has come by then is one chunk again.
        for await (const chunk of data.stream as AsyncIterable<Buffer>) {
          await keeping;
          keeping = Promise.all([writeAll(handle, chunk, at, this.#part), hasher.update(chunk)]).then(() =>
            giveBack(chunk),
          );
          keeping.catch(() => {});
          at += chunk.length;
          this.received += chunk.length;
          this.#progress(at, this.#size);
        }
        await keeping;
      }
      if (this.#size !== undefined && at !== this.#size) {
        throw new ImagesError(
          "unavailable",
          `the data of image ${this.#image.id} ended after ${at} of ${this.#size} bytes`,
        );
      }
      if (!(await this.#isRight(hasher))) return false;
      this.#size = at;
      handle ??= await open(this.#part, "r+");
      await handle.sync();
      if (!(await this.#isOurs(handle))) return await this.#elsewhere();
    } finally {
      hasher.close();
      await keeping.catch(() => {});
      await handle?.close();
    }
    try {
      await replaceFile(this.#part, this.#file);
    } catch (error) {
      // Between the look and the renaming lies another's renaming.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return await this.#elsewhere();
      throw error;
    }
    await syncFolder(this.#file);
    return true;
  }

  /**
   * Several downloads of one image to one file don't harm each other: they write the same bytes to the same places, and never cut the file. But
   * one of them renames it first, or begins a new one.
   */
  async #isOurs(handle: FileHandle): Promise<boolean> {
    const [ours, placed] = await Promise.all([
      handle.stat({ bigint: true }),
      stat(this.#part, { bigint: true }).catch(() => undefined),
    ]);
    return placed !== undefined && isSameFile(ours, placed);
  }

  /** What another download of the same did meanwhile. */
  async #elsewhere(): Promise<boolean> {
    if (await this.isThere(true)) return true;
    throw new ImagesError("unavailable", `another process is downloading ${basename(this.#file)} as well`);
  }

  #hasher(): Hasher {
    return createHasher(this.#digest === undefined ? [] : [this.#digest.algorithm], this.#size);
  }

  async #hashFile(file: string, hasher: Hasher): Promise<void> {
    const stream = createReadStream(file, { highWaterMark: 1024 * 1024, signal: this.#signal });
    for await (const chunk of stream as AsyncIterable<Buffer>) await hasher.update(chunk);
  }

  async #isRight(hasher: Hasher): Promise<boolean> {
    return this.#digest === undefined || (await hasher.digests())[this.#digest.algorithm] === this.#digest.hex;
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number, file: string): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/** The name is on the disk when its folder is. */
async function syncFolder(file: string): Promise<void> {
  // Windows doesn't open folders.
  const folder = await open(dirname(file), "r").catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

function noData(image: ImageFacts): ImagesError {
  return new ImagesError("conflict", `image ${image.id} has no data: it is ${image.status}`, {
    hint: "It can be downloaded once it is active",
  });
}

function interrupted(part: string, cause: unknown): ImagesError {
  return new ImagesError("interrupted", `the download was told to stop; ${basename(part)} has what came so far`, {
    hint: "Repeat it to go on from there",
    cause,
  });
}

function cannotWrite(file: string, cause: unknown): ImagesError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const hint =
    code === "ENOENT"
      ? "Make its folder first"
      : code === "ENOSPC"
        ? "Make room and repeat the download: it goes on from there"
        : undefined;
  return new ImagesError("invalid", `${file} can't be written: ${message}`, { cause, ...(hint ? { hint } : {}) });
}
