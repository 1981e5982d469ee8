import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { hex, imageData, useFolder } from "./fixture.ts";

const run = promisify(execFile);
const sources = resolve(import.meta.dirname, "../../provider/content/index.ts");
const compiled = resolve(import.meta.dirname, "../../dist/provider/content/index.js");

/** Reads a file's content in a process of its own, and prints the digest, the bytes and by how much its memory grew at most. */
const program = `
  const [file, decompress] = process.argv.slice(-2);
  const read = async (file, decompress) => {
    const content = await openContent({ file, decompress }, { algorithms: ["sha512"] });
    let bytes = 0;
    for await (const chunk of content.stream) bytes += chunk.length;
    return { bytes, digest: (await content.finished).digests.sha512 };
  };
  const main = async () => {
    let peak = 0;
    const watch = setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, 10);
    const result = await read(file, decompress);
    clearInterval(watch);
    console.log(JSON.stringify({ ...result, peak }));
  };
  main();
`;

describe("content in a process of its own", () => {
  const folder = useFolder();
  const env = () => ({ ...process.env, XDG_CACHE_HOME: folder.path("cache") });
  const data = imageData(12_000_000);

  // Each ends by itself: a thread that kept the process alive would run into the time limit.
  const expectOutput = async (args: string[]) => {
    const { stdout, stderr } = await run(process.execPath, args, { env: env(), timeout: 60_000 });
    const { bytes, digest, peak } = JSON.parse(stdout) as { bytes: number; digest: string; peak: number };
    assert.equal(stderr, "");
    return { bytes, digest, peak };
  };

  it("hashes and decompresses in threads from sources, and ends by itself", async () => {
    const file = await folder.write("a", data);
    const script = await folder.write(
      "program.mjs",
      `import { openContent } from ${JSON.stringify(sources)};${program}`,
    );
    const { bytes, digest } = await expectOutput([script, file, "none"]);
    assert.deepEqual({ bytes, digest }, { bytes: data.length, digest: hex("sha512", data) });
  });

  it("does so compiled too, as ES module and by require()", async () => {
    const file = await folder.write("a", data);
    const packed = await folder.write("a.xz", "");
    const { stdout } = await run("python3", [
      "-c",
      "import sys, lzma; open(sys.argv[2], 'wb').write(lzma.compress(open(sys.argv[1], 'rb').read(), preset=0)); print('made')",
      file,
      packed,
    ]);
    assert.equal(stdout.trim(), "made");
    const expected = { bytes: data.length, digest: hex("sha512", data) };
    for (const [script, text] of [
      ["program.mjs", `import { openContent } from ${JSON.stringify(compiled)};${program}`],
      ["program.cjs", `const { openContent } = require(${JSON.stringify(compiled)});${program}`],
    ] as const) {
      const path = await folder.write(script, text);
      for (const [source, decompress] of [
        [file, "none"],
        [packed, "xz"],
      ] as const) {
        const { bytes, digest } = await expectOutput([path, source, decompress]);
        assert.deepEqual({ bytes, digest }, expected, `${script} ${decompress}`);
      }
    }
  });

  it("needs no more memory for 2 GiB than for 64 MiB", async () => {
    const script = await folder.write(
      "program.mjs",
      `import { openContent } from ${JSON.stringify(sources)};${program}`,
    );
    const peaks: number[] = [];
    for (const [name, size] of [
      ["small", 64 * 2 ** 20],
      ["large", 2 * 2 ** 30],
    ] as const) {
      const handle = await open(folder.path(name), "w");
      await handle.truncate(size);
      await handle.close();
      const { bytes, peak } = await expectOutput([script, folder.path(name), "none"]);
      assert.equal(bytes, size);
      peaks.push(peak / 2 ** 20);
    }
    const [small = 0, large = 0] = peaks;
    assert.ok(large - small < 48, `64 MiB: ${small.toFixed(0)} MiB, 2 GiB: ${large.toFixed(0)} MiB`);
    assert.ok(large < 256, `${large.toFixed(0)} MiB`);
  });

  it("says of too few open files that they are", async () => {
    const file = await folder.write("a", data);
    const script = await folder.write(
      "limited.mjs",
      `import { identify } from ${JSON.stringify(sources)};
      identify({ file: process.argv[2] }).catch(error => console.log(error.message));`,
    );
    const args = ["-c", 'ulimit -n 26; exec "$@"', "sh", process.execPath, script, file];
    const { stdout } = await run("sh", args, { env: { ...env(), NODE_COMPILE_CACHE: "", NODE_EXTRA_CA_CERTS: "" } });
    assert.match(stdout, /^hashing failed: .*EMFILE.*ulimit -n/);
  });
});
