/**
 * Decoder for bzip2 (concatenated streams included), block by block: at most one block is held, and zero-filled disk
 * images need no more memory than others. Every block's and stream's CRC is checked.
 * The format has no specification of its own; this follows Joe Tsai's "BZIP2: Format Specification".
 */

const blockMagic = [0x314159, 0x265359] as const;
const endMagic = [0x177245, 0x385090] as const;
const maxCodeLength = 20;
const symbolsInGroup = 50;
/** No block's compressed form is longer: 18,002 groups of 50 symbols of 20 bits, and its tables. */
const longestBlock = 2_300_000;
const outputChunk = 512 * 1024;

export class Bzip2Error extends Error {}

/** Reads bits from bytes that were pushed; the oldest bit first. */
class BitReader {
  #bytes = new Uint8Array(0);
  #next = 0;
  #bits = 0;
  #count = 0;

  /** Bytes not yet taken. */
  get available(): number {
    return this.#bytes.length - this.#next + (this.#count >> 3);
  }

  push(chunks: readonly Uint8Array[]): void {
    const rest = this.#bytes.subarray(this.#next);
    const bytes = new Uint8Array(rest.length + chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    bytes.set(rest);
    let at = rest.length;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    this.#bytes = bytes;
    this.#next = 0;
  }

  /** The next `width` (at most 24) bits, left in place; zeros stand for bits past the end. */
  peek(width: number): number {
    while (this.#count < width) {
      this.#bits = (this.#bits << 8) | (this.#bytes[this.#next] ?? 0);
      this.#next++;
      this.#count += 8;
    }
    return (this.#bits >>> (this.#count - width)) & ((1 << width) - 1);
  }

  skip(width: number): void {
    this.#count -= width;
    if (this.#next - (this.#count >> 3) > this.#bytes.length) throw new Bzip2Error("the data ends too early");
  }

  read(width: number): number {
    const value = this.peek(width);
    this.skip(width);
    return value;
  }

  toByte(): void {
    this.skip(this.#count & 7);
  }
}

interface HuffmanTable {
  shortest: number;
  longest: number;
  /** By length: the greatest code of that length, shifted to 20 bits. */
  limit: Int32Array;
  /** By length: what to take from a code to get its place in `symbols`. */
  base: Int32Array;
  symbols: Uint16Array;
}

function huffmanTable(lengths: Uint8Array): HuffmanTable {
  const counts = new Int32Array(maxCodeLength + 2);
  let shortest = maxCodeLength;
  let longest = 1;
  for (const length of lengths) {
    counts[length] = (counts[length] ?? 0) + 1;
    if (length < shortest) shortest = length;
    if (length > longest) longest = length;
  }
  const symbols = new Uint16Array(lengths.length);
  let place = 0;
  for (let length = shortest; length <= longest; length++)
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) symbols[place++] = symbol;
  const limit = new Int32Array(maxCodeLength + 2).fill(-1);
  const base = new Int32Array(maxCodeLength + 2);
  let code = 0;
  let first = 0;
  for (let length = shortest; length <= longest; length++) {
    const count = counts[length] as number;
    base[length] = code - first;
    code += count;
    first += count;
    limit[length] = (code << (maxCodeLength - length)) - 1;
    code <<= 1;
  }
  return { shortest, longest, limit, base, symbols };
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** One block's data after Huffman, move-to-front and run-length decoding: the Burrows-Wheeler transform and its start. */
interface Block {
  /** Low 8 bits: the byte; upper 24: where the next one is. */
  chain: Uint32Array;
  length: number;
  start: number;
  crc: number;
}

function readBlock(bits: BitReader, chain: Uint32Array): Block {
  const crc = ((bits.read(16) << 16) | bits.read(16)) >>> 0;
  if (bits.read(1)) throw new Bzip2Error("randomized blocks of bzip2 before 0.9.5 aren't supported");
  const start = bits.read(24);

  const bytes = new Uint8Array(256);
  let byteCount = 0;
  const rows = bits.read(16);
  for (let row = 0; row < 16; row++) {
    if (!(rows & (0x8000 >> row))) continue;
    const columns = bits.read(16);
    for (let column = 0; column < 16; column++)
      if (columns & (0x8000 >> column)) bytes[byteCount++] = row * 16 + column;
  }
  if (byteCount === 0) throw new Bzip2Error("a block without symbols");

  const tableCount = bits.read(3);
  const selectorCount = bits.read(15);
  if (tableCount < 2 || tableCount > 6 || selectorCount === 0) throw new Bzip2Error("a block's tables are damaged");
  const selectors = new Uint8Array(selectorCount);
  const order = [0, 1, 2, 3, 4, 5];
  for (let i = 0; i < selectorCount; i++) {
    let place = 0;
    while (bits.read(1)) if (++place >= tableCount) throw new Bzip2Error("a block's selectors are damaged");
    const table = order[place] as number;
    order.splice(place, 1);
    order.unshift(table);
    selectors[i] = table;
  }

  const symbolCount = byteCount + 2;
  const tables = Array.from({ length: tableCount }, () => {
    const lengths = new Uint8Array(symbolCount);
    let length = bits.read(5);
    for (let symbol = 0; symbol < symbolCount; symbol++) {
      for (;;) {
        if (length < 1 || length > maxCodeLength) throw new Bzip2Error("a block's code lengths are damaged");
        if (!bits.read(1)) break;
        length += bits.read(1) ? -1 : 1;
      }
      lengths[symbol] = length;
    }
    return huffmanTable(lengths);
  });

  const endOfBlock = symbolCount - 1;
  const recent = Uint8Array.from(bytes);
  const counts = new Uint32Array(256);
  let length = 0;
  let run = 0;
  let runBit = 1;
  let selector = 0;
  let left = 0;
  let table = tables[0] as HuffmanTable;
  for (;;) {
    if (left === 0) {
      const next = tables[selectors[selector] as number];
      if (selector >= selectorCount || !next) throw new Bzip2Error("a block is longer than its selectors");
      table = next;
      selector++;
      left = symbolsInGroup;
    }
    left--;
    const code = bits.peek(maxCodeLength);
    let width = table.shortest;
    while (width <= table.longest && code > (table.limit[width] as number)) width++;
    if (width > table.longest) throw new Bzip2Error("a damaged code");
    bits.skip(width);
    const symbol = table.symbols[(code >>> (maxCodeLength - width)) - (table.base[width] as number)];
    if (symbol === undefined) throw new Bzip2Error("a damaged code");

    if (symbol <= 1) {
      // A run's length is written in bijective base 2, its lowest digit first.
      if (runBit > chain.length) throw new Bzip2Error("a run is longer than its block");
      run += runBit << symbol;
      runBit <<= 1;
      continue;
    }
    if (run > 0) {
      if (length + run > chain.length) throw new Bzip2Error("a block is longer than its stream allows");
      const byte = recent[0] as number;
      counts[byte] = (counts[byte] as number) + run;
      chain.fill(byte, length, length + run);
      length += run;
      run = 0;
      runBit = 1;
    }
    if (symbol === endOfBlock) break;
    if (length >= chain.length) throw new Bzip2Error("a block is longer than its stream allows");
    const place = symbol - 1;
    const byte = recent[place] as number;
    recent.copyWithin(1, 0, place);
    recent[0] = byte;
    counts[byte] = (counts[byte] as number) + 1;
    chain[length++] = byte;
  }
  if (start >= length) throw new Bzip2Error("a block's start lies outside of it");

  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte] as number;
    counts[byte] = sum;
    sum += count;
  }
  for (let i = 0; i < length; i++) {
    const byte = (chain[i] as number) & 0xff;
    const place = counts[byte] as number;
    counts[byte] = place + 1;
    chain[place] = (chain[place] as number) | (i << 8);
  }
  return { chain, length, start, crc };
}

/** Walks the transform back and undoes the first run-length coding: after four equal bytes comes a count of more. */
function* blockOutput({ chain, length, start, crc }: Block): Generator<Uint8Array> {
  let output = new Uint8Array(outputChunk);
  let at = 0;
  let sum = 0xffffffff;
  let next = (chain[start] as number) >>> 8;
  let previous = -1;
  let equal = 0;
  for (let i = 0; i < length; i++) {
    const entry = chain[next] as number;
    const byte = entry & 0xff;
    next = entry >>> 8;
    let repeat = 1;
    let value = byte;
    if (equal === 4) {
      repeat = byte;
      value = previous;
      equal = 0;
      previous = -1;
    } else if (byte === previous) equal++;
    else {
      previous = byte;
      equal = 1;
    }
    for (; repeat > 0; repeat--) {
      output[at++] = value;
      sum = (sum << 8) ^ (crcTable[(sum >>> 24) ^ value] as number);
      if (at === outputChunk) {
        yield output;
        output = new Uint8Array(outputChunk);
        at = 0;
      }
    }
  }
  if (~sum >>> 0 !== crc) throw new Bzip2Error("a block's checksum is wrong");
  if (at > 0) yield output.subarray(0, at);
}

/** Decompresses; throws Bzip2Error on damaged, truncated or trailing data. */
export async function* decodeBzip2(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = input[Symbol.asyncIterator]();
  const bits = new BitReader();
  let ended = false;
  // A block is decoded at one go, so all of it must be here.
  const fill = async () => {
    if (ended || bits.available >= longestBlock) return;
    const chunks: Uint8Array[] = [];
    for (let wanted = 2 * longestBlock - bits.available; wanted > 0; ) {
      const { done, value } = await source.next();
      if (done) {
        ended = true;
        break;
      }
      chunks.push(value);
      wanted -= value.length;
    }
    bits.push(chunks);
  };

  await fill();
  do {
    if (bits.read(24) !== 0x425a68) throw new Bzip2Error("not bzip2 data");
    const level = bits.read(8) - 0x30;
    if (level < 1 || level > 9) throw new Bzip2Error("not bzip2 data");
    const chain = new Uint32Array(level * 100_000);
    let streamCrc = 0;
    for (;;) {
      await fill();
      const magic = [bits.read(24), bits.read(24)];
      if (magic[0] === endMagic[0] && magic[1] === endMagic[1]) break;
      if (magic[0] !== blockMagic[0] || magic[1] !== blockMagic[1])
        throw new Bzip2Error("a block's beginning is damaged");
      const block = readBlock(bits, chain);
      yield* blockOutput(block);
      streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ block.crc) >>> 0;
    }
    const crc = ((bits.read(16) << 16) | bits.read(16)) >>> 0;
    if (crc !== streamCrc) throw new Bzip2Error("the stream's checksum is wrong");
    bits.toByte();
    await fill();
  } while (bits.available > 0);
}
