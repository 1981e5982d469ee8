import { type FileHandle, open } from "node:fs/promises";

/** What data turned out to be. */
export interface Detected {
  /** As in disk_format, and "gpt", "luks", "qed", which aren't. "raw" when nothing was recognised. */
  format: string;
  /** Bytes that the disk inside has; 0 when the header doesn't tell. */
  virtualSize: number;
  /** Why it mustn't be taken, where it mustn't: a backing file, an external data file and the like. */
  unsafe?: string;
  /** The file ends before its header does. */
  incomplete?: true;
}

/** Reads a part of the file: undefined when it isn't that long, unless `partly` is said. */
type Reader = (offset: number, length: number, partly?: "partly") => Promise<Buffer | undefined>;

/** All formats that a file shows. A single "raw" when it shows none. */
export async function detectFormats(path: string): Promise<Detected[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const read: Reader = (offset, length, partly) =>
      readAt(file, size, offset, partly ? Math.min(length, size - offset) : length);
    const found = await Promise.all([qcow2, vhd, vhdx, vmdk, vdi, qed, iso, gpt, luks].map(detect => detect(read)));
    const matches = found.filter(detected => detected !== undefined);
    return matches.length ? matches : [{ format: "raw", virtualSize: size }];
  } finally {
    await file.close();
  }
}

/** A part of the file, or undefined when it isn't long enough. */
async function readAt(file: FileHandle, size: number, offset: number, length: number): Promise<Buffer | undefined> {
  if (offset < 0 || offset + length > size) return undefined;
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
  return buffer;
}

const startsWith = (data: Buffer | undefined, magic: string): data is Buffer =>
  data?.subarray(0, magic.length).equals(Buffer.from(magic, "latin1")) ?? false;

/** @see https://www.qemu.org/docs/master/interop/qcow2.html */
async function qcow2(read: Reader): Promise<Detected | undefined> {
  const header = await read(0, 512);
  if (!startsWith(header, "QFI\xfb")) return undefined;
  const version = header.readUInt32BE(4);
  const features = header.readBigUInt64BE(72);
  const unsafe =
    header.readBigUInt64BE(8) !== 0n
      ? "backing_file"
      : version === 3 && features & 4n
        ? "data_file"
        : (version === 3 && features > 0xfn) || (version !== 2 && version !== 3)
          ? "unknown_features"
          : undefined;
  return { format: "qcow2", virtualSize: Number(header.readBigUInt64BE(24)), ...(unsafe && { unsafe }) };
}

async function qed(read: Reader): Promise<Detected | undefined> {
  return startsWith(await read(0, 512), "QED\0") ? { format: "qed", virtualSize: 0, unsafe: "banned" } : undefined;
}

/** A dynamic VHD has a copy of its footer in front. */
async function vhd(read: Reader): Promise<Detected | undefined> {
  const header = await read(0, 512, "partly");
  if (!startsWith(header, "conectix")) return undefined;
  if (header.length < 512) return { format: "vhd", virtualSize: 0, incomplete: true };
  return { format: "vhd", virtualSize: Number(header.readBigUInt64BE(40)) };
}

const VHDX_METADATA = "06a27c8b90479a4bb8fe575f050f886e";
const VHDX_DISK_SIZE = "2442a52f1bcd7648b2115dbed83bf4b8";

/** @see https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-vhdx */
async function vhdx(read: Reader): Promise<Detected | undefined> {
  if (!startsWith(await read(0, 32, "partly"), "vhdxfile")) return undefined;
  const none = { format: "vhdx", virtualSize: 0 };
  const regions = await read(192 * 1024, 64 * 1024);
  if (!regions) return { ...none, incomplete: true };
  if (!startsWith(regions, "regi")) return none;
  const metadataEntry = findEntry(regions, 16, regions.readUInt32LE(8), VHDX_METADATA);
  if (!metadataEntry) return none;
  const start = Number(metadataEntry.readBigUInt64LE(16));
  const metadata = await read(start, 64 * 1024);
  if (!startsWith(metadata, "metadata")) return none;
  const sizeEntry = findEntry(metadata, 32, metadata.readUInt16LE(10), VHDX_DISK_SIZE);
  const value = sizeEntry && (await read(start + sizeEntry.readUInt32LE(16), 8));
  return value ? { format: "vhdx", virtualSize: Number(value.readBigUInt64LE()) } : none;
}

function findEntry(table: Buffer, first: number, count: number, guid: string): Buffer | undefined {
  for (let index = 0; index < Math.min(count, 2047); index++) {
    const entry = table.subarray(first + index * 32, first + index * 32 + 32);
    if (entry.length === 32 && entry.toString("hex", 0, 16) === guid) return entry;
  }
  return undefined;
}

/** Sparse and stream-optimized extents only: their descriptor lies inside. */
async function vmdk(read: Reader): Promise<Detected | undefined> {
  const header = await read(0, 64);
  if (!startsWith(header, "KDMV")) return undefined;
  const length = Math.min(Number(header.readBigUInt64LE(36)) * 512, 2 ** 20 - 1);
  const descriptor = (await read(512, length))?.toString("latin1").split("\0")[0]?.toLowerCase() ?? "";
  const type = /createtype="([^"]*)"/.exec(descriptor)?.[1];
  if (type !== "monolithicsparse" && type !== "streamoptimized") {
    return { format: "vmdk", virtualSize: 0, unsafe: "descriptor" };
  }
  const extents = descriptor.split("\n").filter(line => /^(rw|rdonly|noaccess) /.test(line.trim()));
  const unsafe = !extents.length || extents.some(line => line.includes("/"));
  return {
    format: "vmdk",
    virtualSize: Number(header.readBigUInt64LE(12)) * 512,
    ...(unsafe && { unsafe: "descriptor" }),
  };
}

async function vdi(read: Reader): Promise<Detected | undefined> {
  const header = await read(0, 512);
  if (header?.readUInt32LE(0x40) !== 0xbeda107f) return undefined;
  return { format: "vdi", virtualSize: Number(header.readBigUInt64LE(0x170)) };
}

/** ISO 9660 and UDF, whose first volume descriptor comes after 32 KiB. */
async function iso(read: Reader): Promise<Detected | undefined> {
  const header = await read(32 * 1024, 2048);
  if (!header || !["CD001", "NSR02", "NSR03"].includes(header.toString("latin1", 1, 6))) return undefined;
  return { format: "iso", virtualSize: header[0] === 1 ? header.readUInt32LE(80) * header.readUInt16LE(128) : 0 };
}

/** A partition table at the very start: MBR, or the protective one of a GPT. A FAT file system's boot sector isn't one. */
async function gpt(read: Reader): Promise<Detected | undefined> {
  const sector = await read(0, 512);
  if (sector?.readUInt16LE(510) !== 0xaa55 || (sector[0x10] === 2 && sector[0x15] === 0xf8)) return undefined;
  const entries = [0, 1, 2, 3].map(index => sector.subarray(446 + index * 16, 462 + index * 16));
  const used = entries.filter(entry => entry[4] !== 0);
  const protective = used.find(entry => entry[4] === 0xee);
  const unsafe =
    entries.some(entry => entry[0] !== 0 && entry[0] !== 0x80) ||
    used.length === 0 ||
    (protective && (used.length > 1 || protective.readUIntBE(1, 3) !== 0x000200 || protective.readUInt32LE(8) !== 1));
  return { format: "gpt", virtualSize: 0, ...(unsafe && { unsafe: "mbr" }) };
}

async function luks(read: Reader): Promise<Detected | undefined> {
  const header = await read(0, 592, "partly");
  if (!startsWith(header, "LUKS\xba\xbe")) return undefined;
  return { format: "luks", virtualSize: 0, ...(header.length < 592 && { incomplete: true }) };
}

/** Formats that can be told by looking. */
const INSPECTED = new Set(["raw", "qcow2", "vhd", "vhdx", "vmdk", "vdi", "qed", "iso", "gpt", "luks"]);

/** Data that isn't what the image says it is. */
export class FormatMismatch extends Error {}

/**
 * The virtual size of data that may go into an image of the given format, null when it can't be told.
 * @param size the data's own size in bytes
 * @throws FormatMismatch when the data isn't of that format, or isn't safe
 */
export function virtualSizeFor(diskFormat: string, detected: Detected[], size: number): number | null {
  const formats = detected.map(({ format }) => format).sort();
  const isBootableIso = formats.join() === "gpt,iso";
  // A bootable ISO may be an ISO, but not raw.
  if (detected.length > 1 && (!isBootableIso || diskFormat === "raw")) {
    throw new FormatMismatch(`Multiple formats detected: ${formats.join(",")}`);
  }
  const match = (isBootableIso ? detected.find(({ format }) => format === "iso") : detected[0]) as Detected;
  let virtualSize = 0;
  if (match.format === diskFormat) virtualSize = match.virtualSize;
  else if (match.format === "raw" && !INSPECTED.has(diskFormat)) virtualSize = 0;
  else if (diskFormat === "raw") virtualSize = size;
  else throw new FormatMismatch(`Image disk_format ${diskFormat} does not match stream data ${match.format}`);
  if (match.incomplete) throw new FormatMismatch("Incomplete file cannot be safety checked");
  if (match.unsafe && !(match.format === "gpt" && (diskFormat === "aki" || diskFormat === "ari"))) {
    throw new FormatMismatch("Image failed safety checks");
  }
  return virtualSize || null;
}
