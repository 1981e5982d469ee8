/** Speed of the content path alone: a file or loopback url to a sink that only counts. `node tools/bench/content.ts [MiB] [folder]` */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, mkdtemp, open, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip, createZstdCompress } from "node:zlib";
import { identify, openContent, type Source } from "../../provider/content/index.ts";

const mebibytes = Number(process.argv[2] ?? 1024);
const folder = await mkdtemp(join(process.argv[3] ?? tmpdir(), "content-bench-"));
process.env.XDG_CACHE_HOME = folder;

let peak = 0;
const watch = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 50);

async function measure(name: string, work: () => Promise<number>): Promise<void> {
  peak = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const bytes = await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rate = (bytes / 1e6 / seconds).toFixed(0).padStart(6);
  console.log(
    `${name.padEnd(44)} ${rate} MB/s  ${((user + system) / 1e6 / seconds).toFixed(2)} cores  ${(peak / 2 ** 20).toFixed(0)} MiB RSS`,
  );
}

async function drain(
  source: Source,
  algorithms: string[],
  expected?: Awaited<ReturnType<typeof identify>>,
): Promise<number> {
  const content = await openContent(source, { algorithms, ...(expected ? { expected } : {}) });
  let count = 0;
  for await (const chunk of content.stream) count += chunk.length;
  await content.finished;
  return count;
}

try {
  const file = join(folder, "image.raw");
  const handle = await open(file, "w");
  const block = randomBytes(2 ** 20);
  for (let i = 0; i < mebibytes; i++) {
    // Half of each MiB compresses well, as in most disk images.
    block.fill(i & 0xff, 2 ** 19);
    block.writeUInt32LE(i);
    await handle.write(block);
  }
  await handle.sync();
  await handle.close();
  const forget = () => rm(join(folder, "pulumi-images"), { recursive: true, force: true });
  const copy = (number: number) => join(folder, `link-${number}`);
  let links = 0;
  // The in-process cache goes by path and change time: a new link is a file it doesn't know.
  const fresh = async () => {
    await forget();
    const path = copy(++links);
    await link(file, path);
    await new Promise(resolve => setTimeout(resolve, 200));
    return path;
  };

  for (const algorithm of ["md5", "sha256", "sha512"])
    await measure(`crypto alone: ${algorithm}`, async () => {
      const hash = createHash(algorithm);
      for (let i = 0; i < mebibytes; i++) hash.update(block);
      hash.digest();
      return mebibytes * 2 ** 20;
    });
  await measure("plain read stream, sha512 inline", async () => {
    const hash = createHash("sha512");
    let count = 0;
    for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20 })) {
      hash.update(chunk);
      count += chunk.length;
    }
    hash.digest();
    return count;
  });
  for (const algorithms of [[], ["sha256"], ["sha512"], ["md5"], ["sha512", "md5"], ["sha512", "md5", "sha256"]]) {
    const path = await fresh();
    await measure(`file -> ${algorithms.join("+") || "nothing"} -> sink`, () => drain({ file: path }, algorithms));
  }
  const path = await fresh();
  await measure("identify (sha256)", async () => (await identify({ file: path })).size ?? 0);
  await measure("identify again (cached)", async () => (await identify({ file: path })).size ?? 0);
  const twice = await fresh();
  await measure(
    "identify (sha256+sha512)",
    async () => (await identify({ file: twice }, { algorithms: ["sha512"] })).size ?? 0,
  );
  const known = await identify({ file: twice }, { algorithms: ["sha512"] });
  await measure("file, digests known -> sink", () => drain({ file: twice }, ["sha512"], known));

  const server = createServer((request, response) => {
    response.setHeader("content-length", mebibytes * 2 ** 20);
    response.setHeader("etag", '"bench"');
    if (request.method === "HEAD") response.end();
    else createReadStream(file, { highWaterMark: 2 ** 20 }).pipe(response);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/image.raw`;
  for (const algorithms of [[], ["sha512"], ["sha512", "md5"]])
    await measure(`url (server in this process) -> ${algorithms.join("+") || "nothing"} -> sink`, () =>
      drain({ url }, algorithms),
    );
  server.closeAllConnections();
  server.close();

  const part = Math.min(mebibytes, 256) * 2 ** 20;
  for (const [name, compressor] of [
    ["gz", createGzip({ level: 1 })],
    ["zst", createZstdCompress()],
  ] as const) {
    const compressed = join(folder, `image.${name}`);
    await pipeline(createReadStream(file, { end: part - 1 }), compressor, createWriteStream(compressed));
    await measure(`file.${name} -> decompress -> sha512 -> sink`, () =>
      drain({ file: compressed, decompress: name }, ["sha512"]),
    );
  }
  for (const [name, ...tool] of [
    ["xz", "xz", "-1"],
    ["bz2", "bzip2", "-1"],
  ] as const) {
    const compressed = join(folder, `image.${name}`);
    const child = spawn(tool[0], [tool[1], "-c"], { stdio: ["pipe", "pipe", "inherit"] });
    const missing = new Promise<never>((_, reject) => child.once("error", reject));
    try {
      await Promise.race([
        missing,
        Promise.all([
          pipeline(createReadStream(file, { end: part / 4 - 1 }), child.stdin),
          pipeline(child.stdout, createWriteStream(compressed)),
        ]),
      ]);
    } catch (error) {
      console.log(`file.${name}: not measured, ${tool[0]} can't be run (${(error as Error).message})`);
      continue;
    }
    await measure(`file.${name} -> decompress -> sha512 -> sink`, () =>
      drain({ file: compressed, decompress: name }, ["sha512"]),
    );
  }
} finally {
  clearInterval(watch);
  await rm(folder, { recursive: true, force: true });
}
