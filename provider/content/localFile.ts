import type { BigIntStats } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isSameFile } from "../../shared/files.ts";
import { ImagesError } from "../errors.ts";
import { partSize, takePart } from "./parts.ts";

/** What tells one state of a file from another. */
export interface FileStamp {
  /** Absolute. */
  path: string;
  dev: bigint;
  ino: bigint;
  /** Bytes. */
  size: number;
  mtimeNs: bigint;
  ctimeNs: bigint;
}

export interface OpenFile {
  stamp: FileStamp;
  /** The whole file from its beginning. Fails at its end when the file changed meanwhile. */
  read(): AsyncGenerator<Uint8Array>;
  close(): void;
}

/** Opens a regular file that isn't empty. The path is relative to the working directory, which is the Pulumi project's folder. */
export async function openFile(file: string): Promise<OpenFile> {
  const path = resolve(file);
  let handle: FileHandle | undefined;
  try {
    // A pipe would block on open until somebody writes to it.
    const before = await stat(path);
    if (!before.isFile())
      throw new ImagesError("content", `${file} is ${before.isDirectory() ? "a directory" : "no regular file"}`, {
        hint: "Give the path of an image file",
      });
    handle = await open(path, "r");
    // Both stamps of a file are taken by its path: taken by a handle, they can differ (see isSameFile).
    const [opened, found] = await Promise.all([handle.stat({ bigint: true }), stat(path, { bigint: true })]);
    if (!isSameFile(opened, found)) throw changed(file, "another file took its place");
    const stamp = stampOf(path, found);
    if (stamp.size === 0) throw new ImagesError("content", `${file} is empty`);
    return reading(file, stamp, handle);
  } catch (error) {
    await handle?.close();
    throw fileError(error, file, path);
  }
}

function reading(file: string, stamp: FileStamp, handle: FileHandle): OpenFile {
  let closed = false;
  let isReading = false;
  const end = () => void handle.close().catch(() => {});
  const close = () => {
    if (closed) return;
    closed = true;
    // A handle must not be closed under a read in flight: its number may already belong to another file then.
    if (!isReading) end();
  };
  const readAt = async (buffer: Uint8Array, position: number): Promise<number> => {
    if (closed) throw new ImagesError("interrupted", `reading ${file} was ended`);
    isReading = true;
    try {
      return (await handle.read(buffer, 0, buffer.length, position)).bytesRead;
    } catch (error) {
      throw fileError(error, file, stamp.path);
    } finally {
      isReading = false;
      if (closed) end();
    }
  };
  return {
    stamp,
    close,
    async *read() {
      let position = 0;
      while (position < stamp.size) {
        const buffer = takePart(Math.min(partSize, stamp.size - position));
        const count = await readAt(buffer, position);
        if (count === 0) throw changed(file, `it ended after ${position} of ${stamp.size} bytes`);
        position += count;
        if (position === stamp.size) await unchanged(file, stamp, readAt);
        yield count === buffer.length ? buffer : buffer.subarray(0, count);
      }
    },
  };
}

/** Looks at the path, not the handle: a file put in its place is another file too. */
async function unchanged(
  file: string,
  stamp: FileStamp,
  readAt: (buffer: Uint8Array, position: number) => Promise<number>,
): Promise<void> {
  if ((await readAt(new Uint8Array(1), stamp.size)) > 0) throw changed(file, "it became longer");
  const now = await stat(stamp.path, { bigint: true }).then(
    stats => stampOf(stamp.path, stats),
    error => {
      throw error?.code === "ENOENT" ? changed(file, "it was deleted") : fileError(error, file, stamp.path);
    },
  );
  if (now.ino !== stamp.ino || now.dev !== stamp.dev) throw changed(file, "another file took its place");
  if (now.size !== stamp.size) throw changed(file, `its size went from ${stamp.size} to ${now.size} bytes`);
  if (now.mtimeNs !== stamp.mtimeNs) throw changed(file, "it was written to");
}

function stampOf(path: string, { dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileStamp {
  return { path, dev, ino, size: Number(size), mtimeNs, ctimeNs };
}

function changed(file: string, how: string): ImagesError {
  return new ImagesError("content", `${file} changed while it was read: ${how}`, {
    hint: "Run again when nothing writes to it any more",
  });
}

function fileError(error: unknown, file: string, path: string): unknown {
  if (error instanceof ImagesError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const at = path === file ? file : `${file} (${path})`;
  if (code === "ENOENT" || code === "ENOTDIR")
    return new ImagesError("content", `there is no file ${at}`, {
      hint: file.startsWith("~")
        ? "~ stands for nothing here: write the path out, or use os.homedir()"
        : "Paths are relative to the folder of the Pulumi program",
      cause: error,
    });
  if (code === "EACCES" || code === "EPERM")
    return new ImagesError("content", `${at} may not be read`, { cause: error });
  return new ImagesError("content", `${at} can't be read: ${message}`, { cause: error });
}
