import { noteAllocated } from "./garbage.ts";

/** Bytes of a whole part. */
export const partSize = 256 * 1024;
/** Parts that are kept for the next stream when none runs. */
const mostIdle = 32;

const idle: Buffer<SharedArrayBuffer>[] = [];
/** By a part's memory: how many still use it. */
const users = new WeakMap<ArrayBufferLike, number>();

/**
 * Memory for the next bytes of a stream. Gigabytes go through few parts, so that there is nothing to collect, and the threads that hash read
 * them where they are. Whoever takes one is its first user.
 * @param size bytes, at most `partSize`
 */
export function takePart(size = partSize): Buffer<SharedArrayBuffer> {
  const part = (size === partSize ? idle.pop() : undefined) ?? newPart(size);
  users.set(part.buffer, 1);
  return part;
}

/** One more user of the part that these bytes lie in, who gives it back, too. @returns whether they lie in a part */
export function sharePart(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  const count = users.get(bytes.buffer);
  if (count === undefined) return false;
  users.set(bytes.buffer, count + 1);
  return true;
}

/**
 * Gives memory back that this user doesn't read any more: whoever has brought the data to its end, such as a socket or a file, knows. What isn't a whole part is
 * left to the garbage collector, as is all that a user doesn't give back.
 */
export function giveBack(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const count = users.get(buffer);
  if (count === undefined || bytes.byteLength !== partSize || buffer.byteLength !== partSize) return;
  if (count > 1) users.set(buffer, count - 1);
  else {
    users.delete(buffer);
    if (idle.length < mostIdle) idle.push(Buffer.from(buffer as SharedArrayBuffer));
  }
}

function newPart(size: number): Buffer<SharedArrayBuffer> {
  noteAllocated(size);
  return Buffer.from(new SharedArrayBuffer(size));
}
