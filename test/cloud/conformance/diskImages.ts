/** The smallest files that pass for disk images: real headers, and nothing behind them. */

/** A version 3 qcow2 header. @param virtualSize bytes of the disk inside */
export function qcow2(virtualSize: number, length = 4096): Buffer {
  const image = Buffer.alloc(length);
  image.write("QFI\xfb", 0, "latin1");
  image.writeUInt32BE(3, 4);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(BigInt(virtualSize), 24);
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(104, 100);
  return image;
}

/** A qcow2 that says its data comes from another file. */
export function qcow2WithBackingFile(): Buffer {
  const image = qcow2(2 ** 30);
  image.writeBigUInt64BE(1024n, 8);
  return image;
}

export function vhd(virtualSize: bigint): Buffer {
  const image = Buffer.alloc(4096);
  image.write("conectix");
  image.writeBigUInt64BE(virtualSize, 40);
  return image;
}

export function vhdx(virtualSize: bigint): Buffer {
  const image = Buffer.alloc(1024 * 1024);
  image.write("vhdxfile");
  const regions = 192 * 1024;
  image.write("regi", regions);
  image.writeUInt32LE(1, regions + 8);
  Buffer.from("06a27c8b90479a4bb8fe575f050f886e", "hex").copy(image, regions + 16);
  const metadata = 512 * 1024;
  image.writeBigUInt64LE(BigInt(metadata), regions + 32);
  image.writeUInt32LE(65536, regions + 40);
  image.write("metadata", metadata);
  image.writeUInt16LE(1, metadata + 10);
  Buffer.from("2442a52f1bcd7648b2115dbed83bf4b8", "hex").copy(image, metadata + 32);
  image.writeUInt32LE(65536, metadata + 48);
  image.writeUInt32LE(8, metadata + 52);
  image.writeBigUInt64LE(virtualSize, metadata + 65536);
  return image;
}

export function vmdk(type: string, sectors: bigint): Buffer {
  const image = Buffer.alloc(8192);
  image.write("KDMV");
  image.writeUInt32LE(1, 4);
  image.writeBigUInt64LE(sectors, 12);
  image.writeBigUInt64LE(1n, 28);
  image.writeBigUInt64LE(2n, 36);
  image.write(`# Disk DescriptorFile\nversion=1\ncreateType="${type}"\nRW ${sectors} SPARSE "disk.vmdk"\n`, 512);
  return image;
}

export function vdi(virtualSize: bigint): Buffer {
  const image = Buffer.alloc(4096);
  image.writeUInt32LE(0xbeda107f, 0x40);
  image.writeBigUInt64LE(virtualSize, 0x170);
  return image;
}

/** @param blocks of 2048 bytes */
export function iso(blocks: number): Buffer {
  const image = Buffer.alloc(40 * 1024);
  const descriptor = 32 * 1024;
  image[descriptor] = 1;
  image.write("CD001", descriptor + 1);
  image.writeUInt32LE(blocks, descriptor + 80);
  image.writeUInt16LE(2048, descriptor + 128);
  return image;
}

/** A disk with a protective MBR, as GPT has it. */
export function gpt(): Buffer {
  const image = Buffer.alloc(4096);
  image[446 + 2] = 2;
  image[446 + 4] = 0xee;
  image.writeUInt32LE(1, 446 + 8);
  image.writeUInt32LE(7, 446 + 12);
  image.writeUInt16LE(0xaa55, 510);
  return image;
}
