import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createHasher } from "../../provider/content/hashing.ts";
import { giveBack, partSize, takePart } from "../../provider/content/parts.ts";
import { noise } from "../support/disk.ts";

const hex = (algorithm: string, data: Uint8Array) => createHash(algorithm).update(data).digest("hex");

/** Large enough for threads. */
const data = noise("hashing", 12 * 1024 * 1024 + 4099);

/** The data in turns: as parts, which are given back and used again at once, and as memory of others', of odd sizes. */
async function feed(update: (bytes: Uint8Array) => Promise<void> | undefined): Promise<Set<ArrayBufferLike>> {
  const memory = new Set<ArrayBufferLike>();
  for (let at = 0, turn = 0; at < data.length; turn++) {
    const piece = data.subarray(at, at + (turn % 3 === 2 ? 70_001 : partSize));
    at += piece.length;
    if (turn % 3 === 2) {
      await update(piece);
      continue;
    }
    const part = takePart();
    memory.add(part.buffer);
    part.set(piece);
    await update(part.subarray(0, piece.length));
    giveBack(part.subarray(0, piece.length));
  }
  return memory;
}

describe("hashing in threads", () => {
  for (const algorithms of [["sha512"], ["sha256", "md5", "sha512"]]) {
    it(`gives ${algorithms.join(", ")} of what was given, though its memory is used again`, async () => {
      const hasher = createHasher(algorithms, data.length);
      try {
        const memory = await feed(bytes => hasher.update(bytes));
        const expected = Object.fromEntries(algorithms.map(algorithm => [algorithm, hex(algorithm, data)]));
        assert.deepEqual({ ...(await hasher.digests()) }, expected);
        // What goes through few parts, whatever the size: as many as may wait, and some on their way.
        assert.ok(memory.size < 30, `${memory.size} parts`);
      } finally {
        hasher.close();
      }
    });
  }

  it("has several streams side by side", async () => {
    const hashers = Array.from({ length: 5 }, () => createHasher(["md5"], data.length));
    try {
      await Promise.all(hashers.map(hasher => feed(bytes => hasher.update(bytes))));
      for (const hasher of hashers) assert.deepEqual({ ...(await hasher.digests()) }, { md5: hex("md5", data) });
    } finally {
      for (const hasher of hashers) hasher.close();
    }
  });

  it("is ended at any time, and says so to who waits", async () => {
    const hasher = createHasher(["sha512"], data.length);
    const waiting = feed(bytes => hasher.update(bytes));
    setImmediate(() => hasher.close());
    await assert.rejects(waiting, { code: "interrupted" });
  });
});
