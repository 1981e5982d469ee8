import { noteAllocated } from "./garbage.ts";

/** Bytes of a whole part. */
export const partSize = 256 * 1024;
/** Parts that are kept for the next stream when none runs. */
const mostIdle = 32;

const idle: Buffer<ArrayBuffer>[] = [];
const lent = new WeakSet<ArrayBufferLike>();

/**
 * Memory for the next bytes of a stream. Gigabytes go through few parts, so that there is nothing to collect.
 * @param size bytes, at most `partSize`
 */
export function takePart(size = partSize): Buffer<ArrayBuffer> {
  const used = size === partSize ? idle.pop() : undefined;
  if (used === undefined) noteAllocated(size);
  const part = used ?? Buffer.allocUnsafeSlow(size);
  lent.add(part.buffer);
  return part;
}

/**
 * Gives memory back that nobody reads any more: whoever has brought the data to its end, such as a socket or a file, knows. What isn't a whole part is left
 * to the garbage collector, as is all that nobody gives back.
 */
export function giveBack(bytes: Uint8Array): void {
  const { buffer } = bytes;
  const isWhole = bytes.byteLength === partSize && buffer.byteLength === partSize;
  if (isWhole && lent.delete(buffer) && idle.length < mostIdle) idle.push(Buffer.from(buffer as ArrayBuffer));
}
