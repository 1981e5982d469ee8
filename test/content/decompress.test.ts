import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { type Compression, identify, openContent } from "../../provider/content/index.ts";
import { hex, imageData, receive, serve, useFolder, useServers } from "./fixture.ts";

/** Python's own modules, as Node has none for these. */
function python(program: string, input: Uint8Array): Buffer {
  return execFileSync(
    "python3",
    ["-c", `import sys, bz2, lzma; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(${program})`],
    { input, maxBuffer: 2 ** 28 },
  );
}

const compress: Record<Compression, (data: Uint8Array) => Buffer> = {
  gz: data => gzipSync(data),
  bz2: data => python("bz2.compress(d)", data),
  xz: data => python("lzma.compress(d)", data),
  zst: data => zstdCompressSync(data),
};
const kinds = Object.keys(compress) as Compression[];

describe("decompressing", () => {
  const folder = useFolder();
  const start = useServers();
  const data = imageData(3_000_000);
  const one = randomBytes(700_000);
  const packed = new Map<Compression, Buffer>();
  const packedOne = new Map<Compression, Buffer>();
  before(() => {
    for (const kind of kinds) {
      packed.set(kind, compress[kind](data));
      packedOne.set(kind, compress[kind](one));
    }
  });
  const both = (kind: Compression) => [packed.get(kind) as Buffer, packedOne.get(kind) as Buffer] as const;
  /** What arrives, or the error with which it ends, wherever that comes. */
  const read = async (file: string, decompress: Compression | "auto", limits = {}) =>
    receive({ file, decompress, ...limits }).catch(error => ({
      data: Buffer.alloc(0),
      error,
      finished: undefined,
      announced: undefined,
    }));

  for (const kind of kinds)
    describe(kind, () => {
      it("gives what was compressed, by name and by its first bytes, with the digests of what is sent", async () => {
        const file = await folder.write("a", both(kind)[0]);
        for (const decompress of [kind, "auto"] as const) {
          const { data: got, error, finished } = await read(file, decompress);
          assert.equal(error, undefined);
          assert.ok(got.equals(data));
          assert.deepEqual(finished, { size: data.length, digests: { sha256: hex("sha256", data) } });
        }
        const expected = await identify({ file, decompress: kind });
        const { announced } = await receive({ file, decompress: kind }, { expected });
        assert.equal(announced, data.length);
      });

      it("reads members one after the other, wherever the parts fall", async () => {
        const [first, second] = both(kind);
        const file = await folder.write("a", Buffer.concat([second, first, second]));
        assert.ok((await read(file, kind)).data.equals(Buffer.concat([one, data, one])));
        for (const at of [second.length, second.length + 1, second.length + 3]) {
          const all = Buffer.concat([second, first]);
          const { url } = await start((_, response) =>
            response.write(all.subarray(0, at), () => setTimeout(() => response.end(all.subarray(at)), 30)),
          );
          assert.ok(
            (await receive({ url: `${url}/a`, decompress: kind })).data.equals(Buffer.concat([one, data])),
            `cut at ${at}`,
          );
        }
      });

      it("fails before the end when it is truncated anywhere", async () => {
        const [whole] = both(kind);
        for (const length of [3, 9, Math.floor(whole.length / 2), whole.length - 9, whole.length - 1]) {
          const { data: got, error, finished } = await read(await folder.write("a", whole.subarray(0, length)), kind);
          assert.equal(error?.code, "content", `${length} of ${whole.length} bytes`);
          assert.ok(got.length < data.length);
          assert.equal(finished, undefined);
        }
        // In a second member too, of which only the beginning is there.
        const { error, data: got } = await read(
          await folder.write("b", Buffer.concat([whole, both(kind)[1].subarray(0, 5)])),
          kind,
        );
        assert.equal(error?.code, "content");
        assert.ok(got.length < data.length, "the last bytes are held back");
      });

      it("fails before the end when something else follows", async () => {
        for (const rest of ["garbage after the end", "\x1f", "\0\0garbage"]) {
          const { data: got, error } = await read(
            await folder.write("a", Buffer.concat([both(kind)[0], Buffer.from(rest)])),
            kind,
          );
          assert.equal(error?.code, "content", JSON.stringify(rest));
          assert.ok(got.length < data.length);
        }
      });

      it("refuses what isn't such data, and says what it is", async () => {
        await assert.rejects(
          openContent({ file: await folder.write("a", "QFI\xfb plain image"), decompress: kind }, { algorithms: [] }),
          { code: "content", message: new RegExp(`isn't ${kind} data`) },
        );
        const other = kind === "gz" ? "xz" : "gz";
        await assert.rejects(
          openContent({ file: await folder.write("b", both(other)[0]), decompress: kind }, { algorithms: [] }),
          { code: "content", message: new RegExp(`which is ${other}.*decompress to "${other}"`) },
        );
      });

      it("keeps the limits of size and ratio", async () => {
        const file = await folder.write("a", both(kind)[0]);
        const { error, data: got } = await read(file, kind, { maxSize: 2_000_000 });
        assert.equal(error?.code, "content");
        assert.match(error.message, /more than 2000000 bytes/);
        assert.ok(got.length <= 2_000_000);
        assert.equal((await read(file, kind, { maxSize: data.length })).error, undefined);

        const bomb = await folder.write("bomb", compress[kind](Buffer.alloc(130_000_000)));
        await assert.rejects(identify({ file: bomb, decompress: kind, maxRatio: 20 }), {
          code: "content",
          message: /grows more than 20 times.*maxRatio/,
        });
        assert.equal((await identify({ file: bomb, decompress: kind, maxRatio: 1e7 })).size, 130_000_000);
      }).timeout(60_000);

      it("leaves its thread and file when it is closed in the middle", async () => {
        const { url } = await start(serve(both(kind)[0]));
        for (let i = 0; i < 12; i++) {
          const content = await openContent({ url: `${url}/a`, decompress: kind }, { algorithms: ["md5"] });
          content.stream.on("error", () => {});
          content.close();
          await assert.rejects(content.finished, { code: "interrupted" });
        }
      });
    });

  for (const kind of ["gz", "bz2", "xz"] as const)
    it(`notices a damaged bit in ${kind}`, async () => {
      const damaged = Buffer.from(packed.get(kind) as Buffer);
      // Among the random bytes: inside of the zeros another bit may mean the same.
      const at = Math.floor(damaged.length / 4);
      damaged[at] = (damaged[at] as number) ^ 1;
      const { error, data: got } = await read(await folder.write("a", damaged), kind);
      assert.equal(error?.code, "content");
      assert.ok(got.length < data.length);
    });

  it("takes zeros after gz for padding, as gzip does", async () => {
    assert.ok(
      (
        await read(await folder.write("a", Buffer.concat([packed.get("gz") as Buffer, Buffer.alloc(1_000_000)])), "gz")
      ).data.equals(data),
    );
  });

  it("sends data that isn't compressed as it is with auto", async () => {
    assert.ok((await read(await folder.write("a", one), "auto")).data.equals(one));
    assert.equal((await read(await folder.write("b", "hi"), "auto")).data.toString(), "hi");
  });

  it("checks the digest of what is published, not of what comes out", async () => {
    const file = await folder.write("a", packed.get("xz") as Buffer);
    assert.equal(
      (await receive({ file, decompress: "xz", digest: `sha256:${hex("sha256", packed.get("xz") as Buffer)}` })).error,
      undefined,
    );
    const { error, data: got } = await receive({ file, decompress: "xz", digest: `sha256:${hex("sha256", data)}` });
    assert.equal(error?.code, "content");
    assert.ok(got.length < data.length);
  });

  it("reads every form of xz that it can, and names what it can't", async () => {
    for (const options of ["preset=9", "check=lzma.CHECK_CRC32", "check=lzma.CHECK_NONE"])
      assert.ok(
        (await read(await folder.write("a", python(`lzma.compress(d, ${options})`, one)), "xz")).data.equals(one),
        options,
      );
    for (const options of ["check=lzma.CHECK_SHA256", "filters=[{'id': lzma.FILTER_X86}, {'id': lzma.FILTER_LZMA2}]"])
      assert.match(
        (await read(await folder.write("a", python(`lzma.compress(d, ${options})`, one)), "xz")).error?.message ?? "",
        /xz option.*xz -d/,
        options,
      );
  });

  it("reads every level of bzip2, and the runs that it treats specially", async () => {
    const runs = [1, 3, 4, 5, 254, 255, 256, 258, 259, 260, 263, 518, 900_000, 900_001].flatMap(length => [
      Buffer.alloc(length, 65),
      Buffer.from("B"),
    ]);
    const patterns = ["ab", "aaaab", "aaaaab", "\xff\xfe"].map(text => Buffer.from(text.repeat(50_000), "latin1"));
    const odd = Buffer.concat([...runs, ...patterns, one]);
    for (const level of [1, 5, 9]) {
      const file = await folder.write("a", python(`bz2.compress(d, ${level})`, odd));
      assert.ok((await read(file, "bz2")).data.equals(odd), `level ${level}`);
    }
  });

  it("runs more streams than there are threads", async () => {
    const file = await folder.write("a", packed.get("xz") as Buffer);
    for (const { data: got } of await Promise.all(Array.from({ length: 8 }, () => read(file, "xz"))))
      assert.ok(got.equals(data));
  });
});
