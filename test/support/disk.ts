import { createHash } from "node:crypto";

/**
 * A small qcow2 file, real enough for a service that looks at what it is given: a version 3 header over an empty disk.
 * Source: qemu docs/interop/qcow2.
 * @param seed makes the file's bytes, and so its digest, differ
 * @param virtualSize bytes of the disk
 */
export function qcow2(seed: string, virtualSize = 10 * 2 ** 30): Buffer {
  const clusterBits = 16;
  const file = Buffer.alloc(4 * 2 ** clusterBits);
  file.write("QFI\xfb", 0, "latin1");
  file.writeUInt32BE(3, 4);
  file.writeUInt32BE(clusterBits, 20);
  file.writeBigUInt64BE(BigInt(virtualSize), 24);
  file.writeUInt32BE(Math.max(1, Math.ceil(virtualSize / 2 ** (2 * clusterBits - 3))), 36);
  file.writeBigUInt64BE(BigInt(3 * 2 ** clusterBits), 40);
  file.writeBigUInt64BE(BigInt(2 ** clusterBits), 48);
  file.writeUInt32BE(1, 56);
  file.writeUInt32BE(4, 96);
  file.writeUInt32BE(104, 100);
  createHash("sha256").update(seed).digest().copy(file, 4096);
  return file;
}

/** Bytes that no two seeds share, and that don't compress. */
export function noise(seed: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let block = createHash("sha256").update(seed).digest();
  for (let at = 0; at < size; at += block.length) {
    block = createHash("sha256").update(block).digest();
    block.copy(bytes, at);
  }
  return bytes;
}

export function sha512(bytes: Uint8Array): string {
  return createHash("sha512").update(bytes).digest("hex");
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
