import assert from "node:assert/strict";
import fsPromises, { appendFile, open, readdir, readlink, rename, rm, truncate, utimes } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { identify, openContent } from "../../provider/content/index.ts";
import type { ImagesError } from "../../provider/errors.ts";
import { hex, imageData, receive, settled, useFolder } from "./fixture.ts";

/** The process's open files with this path. Linux only, as /proc is. */
async function handlesOf(path: string): Promise<number> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map(fd => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.filter(link => link === path).length;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 5));
}

describe("sending a file", () => {
  const folder = useFolder();

  for (const size of [1, 256 * 1024, 256 * 1024 + 1, 3_000_000, 12_345_678])
    it(`gives ${size} bytes as they are, with all digests asked for`, async () => {
      const data = imageData(size);
      if (size === 1) data[0] = 65;
      const algorithms = ["sha512", "md5", "sha256"];
      const {
        data: got,
        error,
        finished,
        announced,
      } = await receive({ file: await folder.write("a", data) }, { algorithms });
      assert.equal(error, undefined);
      assert.ok(got.equals(data));
      assert.equal(announced, size);
      assert.deepEqual(finished, {
        size,
        digests: Object.fromEntries(algorithms.map(algorithm => [algorithm, hex(algorithm, data)])),
      });
    });

  it("gives them again from the beginning each time, from the cache's digests too", async () => {
    const data = imageData(20_000_000);
    const file = await folder.write("a", data);
    await settled(file);
    const expected = await identify({ file }, { algorithms: ["sha512"] });
    for (let i = 0; i < 3; i++) {
      const { data: got, finished } = await receive({ file }, { expected, algorithms: ["sha512", "md5"] });
      assert.ok(got.equals(data));
      assert.deepEqual(finished?.digests, { sha512: hex("sha512", data), md5: hex("md5", data) });
    }
  });

  it("gives them where Node has another device by path than by handle, as old ones on Windows", async () => {
    const data = imageData(300_000);
    const file = await folder.write("a", data);
    const { stat } = fsPromises;
    fsPromises.stat = (async (...args: Parameters<typeof stat>) => {
      const stats = await stat(...args);
      if (typeof stats.dev === "bigint") stats.dev += 2n ** 32n;
      return stats;
    }) as typeof stat;
    syncBuiltinESMExports();
    try {
      assert.equal((await identify({ file })).content, `sha256:${hex("sha256", data)}`);
      const { data: got, error } = await receive({ file });
      assert.equal(error, undefined);
      assert.ok(got.equals(data));
    } finally {
      fsPromises.stat = stat;
      syncBuiltinESMExports();
    }
  });

  it("reports the bytes read and their total", async () => {
    const seen: [number, number | undefined][] = [];
    await receive(
      { file: await folder.write("a", imageData(1_000_000)) },
      { progress: (bytes, total) => seen.push([bytes, total]) },
    );
    assert.deepEqual(seen.at(-1), [1_000_000, 1_000_000]);
    assert.ok(seen.length > 1 && seen.every(([bytes], i) => i === 0 || bytes > (seen[i - 1]?.[0] ?? 0)));
  });

  it("fails at once when it is another file than identify saw", async () => {
    const file = await folder.write("a", imageData(100_000));
    const expected = await identify({ file });
    await appendFile(file, "x");
    await assert.rejects(openContent({ file }, { expected, algorithms: [] }), {
      code: "content",
      message: /should give 100000 bytes, but gives 100001/,
    });
  });

  it("holds its end back when its bytes are others, of the same size", async () => {
    const data = imageData(3_000_000);
    const file = await folder.write("a", data);
    const expected = await identify({ file });
    data[2_999_999] = (data[2_999_999] as number) ^ 1;
    await folder.write("a", data);
    const { data: got, error, finished } = await receive({ file }, { expected, algorithms: [] });
    assert.equal(error?.code, "content");
    assert.match(error.message, /has sha256 .* should be/);
    assert.ok(got.length < data.length, "the last bytes must not arrive");
    assert.equal(finished, undefined);
  });

  it("checks a declared digest without identify", async () => {
    const data = imageData(2_000_000);
    const file = await folder.write("a", data);
    assert.equal((await receive({ file, digest: `sha512:${hex("sha512", data)}` })).error, undefined);
    const { data: got, error } = await receive({ file, digest: `sha1:${hex("sha1", "other")}` });
    assert.equal(error?.code, "content");
    assert.ok(got.length < data.length);
  });

  for (const [how, change, message] of [
    [
      "is written to",
      async (file: string) => {
        const handle = await open(file, "r+");
        await handle.write(Buffer.from("changed"), 0, 7, 100);
        await handle.close();
        // Its file system's clock may be too coarse to show a write so soon after the first.
        await utimes(file, new Date(), new Date(Date.now() + 5000));
      },
      /changed while it was read/,
    ],
    ["grows", (file: string) => appendFile(file, "more"), /changed while it was read: it became longer/],
    ["is cut", (file: string) => truncate(file, 4_000_000), /changed while it was read: it ended after \d+ of 8000000/],
    ["is deleted", (file: string) => rm(file), /changed while it was read: it was deleted/],
    [
      "is replaced",
      async (file: string) => rename(await folder.write("b", imageData(8_000_000)), file),
      /changed while it was read: another file took its place/,
    ],
  ] as const)
    it(`fails before its end when the file ${how} while it is read`, async () => {
      const file = await folder.write("a", imageData(8_000_000));
      const content = await openContent({ file }, { algorithms: ["sha256"] });
      let count = 0;
      let error: ImagesError | undefined;
      try {
        for await (const chunk of content.stream) {
          if (count === 0) await change(file);
          count += chunk.length;
        }
      } catch (caught) {
        error = caught as ImagesError;
      }
      assert.equal(error?.code, "content");
      assert.match(error.message, message);
      assert.ok(count < 8_000_000);
      await assert.rejects(content.finished, { code: "content" });
    });

  it("holds no more than a few parts when nobody takes them", async () => {
    let read = 0;
    const content = await openContent(
      { file: await folder.write("a", imageData(30_000_000)) },
      {
        algorithms: ["sha256"],
        progress: bytes => {
          read = bytes;
        },
      },
    );
    content.stream.once("readable", () => {});
    let before = -1;
    while (read !== before) {
      before = read;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    assert.ok(read < 4_000_000, `${read} bytes were read ahead`);
    content.close();
  });

  it("releases the file at its end, on close, on abort, and when the stream is destroyed", async () => {
    const file = await folder.write("a", imageData(20_000_000));
    const controller = new AbortController();
    for (const end of [
      async ({ stream }: Awaited<ReturnType<typeof openContent>>) => {
        for await (const _ of stream);
      },
      async ({ close }: Awaited<ReturnType<typeof openContent>>) => close(),
      async ({ stream }: Awaited<ReturnType<typeof openContent>>) => void stream.destroy(),
      async () => controller.abort(),
    ]) {
      const content = await openContent({ file }, { algorithms: ["sha256", "md5"], signal: controller.signal });
      content.stream.on("error", () => {});
      assert.equal(await handlesOf(file), 1);
      await end(content);
      await until(async () => (await handlesOf(file)) === 0);
      content.close();
    }
    await assert.rejects(openContent({ file }, { algorithms: [], signal: controller.signal }), { code: "interrupted" });
  });

  it("fails with interrupted when it is aborted while it is read", async () => {
    const controller = new AbortController();
    const { error, finished } = await receive(
      { file: await folder.write("a", imageData(20_000_000)) },
      { signal: controller.signal, progress: bytes => bytes > 3_000_000 && controller.abort() },
    );
    assert.equal(error?.code, "interrupted");
    assert.equal(finished, undefined);
  });

  it("hashes many streams at once", async () => {
    const data = imageData(9_000_000);
    const file = await folder.write("a", data);
    const all = await Promise.all(
      Array.from({ length: 24 }, () => receive({ file }, { algorithms: ["sha512", "md5"] })),
    );
    for (const { finished } of all)
      assert.deepEqual(finished?.digests, { sha512: hex("sha512", data), md5: hex("md5", data) });
  });
});
