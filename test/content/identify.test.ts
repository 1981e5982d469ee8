import assert from "node:assert/strict";
import { appendFile, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { identify } from "../../provider/content/index.ts";
import { hex, imageData, serve, settled, useFolder, useServers } from "./fixture.ts";

describe("identifying a file", () => {
  const folder = useFolder();
  const entries = () => readdir(folder.path("cache/pulumi-images/digests")).catch(() => []);

  it("gives the digest and size of its bytes", async () => {
    for (const size of [1, 300_000, 9_000_001]) {
      const data = imageData(size);
      const fractions: number[] = [];
      const identity = await identify(
        { file: await folder.write(`${size}`, data) },
        { algorithms: ["sha512", "md5"], progress: fraction => fractions.push(fraction) },
      );
      assert.deepEqual(identity, {
        content: `sha256:${hex("sha256", data)}`,
        size,
        digests: { sha256: hex("sha256", data), sha512: hex("sha512", data), md5: hex("md5", data) },
      });
      assert.equal(fractions.at(-1), 1);
    }
  });

  it("gives the size of what comes out when it is to be decompressed, and the digest of what is published", async () => {
    const data = imageData(500_000);
    const packed = gzipSync(data);
    const identity = await identify({ file: await folder.write("a.gz", packed), decompress: "auto" });
    assert.deepEqual(identity, {
      content: `sha256:${hex("sha256", packed)}`,
      size: data.length,
      digests: { sha256: hex("sha256", data) },
    });
  });

  it("reads an unchanged file once, whoever asks, also in a later process", async () => {
    const file = await folder.write("a", imageData(100_000));
    await settled(file);
    const first = await identify({ file });
    const [entry] = await entries();
    assert.ok(entry);
    // What the cache says is believed: so this shows that the file isn't read again.
    const path = folder.path(`cache/pulumi-images/digests/${entry}`);
    const planted = (await readFile(path, "utf8")).replace(first.content.slice(7), "0".repeat(64));
    await writeFile(path, planted);
    assert.deepEqual(await identify({ file }), first, "known in this process");
    const { execFileSync } = await import("node:child_process");
    const program = `import { identify } from ${JSON.stringify(new URL("../../provider/content/index.ts", import.meta.url).href)};
      console.log((await identify({ file: ${JSON.stringify(file)} })).content);`;
    assert.equal(
      execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }).trim(),
      `sha256:${"0".repeat(64)}`,
    );
  });

  it("reads it once for many that ask at the same time", async () => {
    const file = await folder.write("a", imageData(20_000_000));
    let reports = 0;
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, i) => identify({ file }, i === 0 ? { progress: () => reports++ } : {})),
    );
    assert.equal(new Set(all.map(({ content }) => content)).size, 1);
    assert.equal(reports, Math.ceil(20_000_000 / (256 * 1024)));
  });

  it("lets one caller give up without ending it for the others", async () => {
    const data = imageData(30_000_000);
    const file = await folder.write("a", data);
    const controller = new AbortController();
    const one = identify({ file }, { signal: controller.signal, progress: () => controller.abort() });
    const other = identify({ file });
    await assert.rejects(one, { code: "interrupted" });
    assert.equal((await other).content, `sha256:${hex("sha256", data)}`);
  });

  it("sees every change", async () => {
    const data = imageData(50_000);
    const file = await folder.write("a", data);
    await settled(file);
    const seen = new Set([(await identify({ file })).content]);
    await appendFile(file, "x");
    await settled(file);
    seen.add((await identify({ file })).content);
    // Same size and time, other bytes: the inode and its change time tell.
    const old = new Date(1_700_000_000_000);
    await utimes(file, old, old);
    seen.add((await identify({ file })).content);
    const other = await folder.write("b", Buffer.alloc(data.length + 1, 7));
    await utimes(other, old, old);
    await rename(other, file);
    seen.add((await identify({ file })).content);
    assert.equal(seen.size, 3);
  });

  it("doesn't remember a file that was written just now", async () => {
    const file = folder.path("a");
    await writeFile(file, "one");
    await identify({ file });
    if ((await entries()).length > 0) return; // the machine was so slow that the file is old enough
    await writeFile(file, "two");
    assert.equal((await identify({ file })).content, `sha256:${hex("sha256", "two")}`);
  });

  it("remembers a file whose time lies in the future", async () => {
    const file = await folder.write("a", "data");
    const future = new Date(Date.now() + 86_400_000);
    await utimes(file, future, future);
    const { ctimeMs } = await stat(file);
    while (Date.now() < ctimeMs + 150) await new Promise(resolve => setTimeout(resolve, 20));
    await identify({ file });
    assert.equal((await entries()).length, 1);
    await writeFile(file, "more");
    assert.equal((await identify({ file })).content, `sha256:${hex("sha256", "more")}`);
  });

  it("works when the cache can't be written or is damaged", async () => {
    const file = await folder.write("a", "data");
    await settled(file);
    await folder.write("blocked", "");
    process.env.XDG_CACHE_HOME = folder.path("blocked");
    assert.equal((await identify({ file })).content, `sha256:${hex("sha256", "data")}`);
    process.env.XDG_CACHE_HOME = folder.path("cache");
    const other = await folder.write("b", "other");
    await settled(other);
    await identify({ file: other });
    for (const entry of await entries()) await writeFile(folder.path(`cache/pulumi-images/digests/${entry}`), "{");
    assert.equal((await identify({ file: other })).content, `sha256:${hex("sha256", "other")}`);
  });

  it("compares it with a declared digest of any algorithm, and with a checksums file", async () => {
    const file = await folder.write("image.raw", "data");
    for (const algorithm of ["sha256", "sha512", "sha1", "md5"]) {
      assert.equal(
        (await identify({ file, digest: `${algorithm}:${hex(algorithm, "data")}` })).content,
        `sha256:${hex("sha256", "data")}`,
      );
      await assert.rejects(identify({ file, digest: `${algorithm}:${hex(algorithm, "other")}` }), {
        code: "content",
        message: new RegExp(`image.raw has ${algorithm} .* should be ${hex(algorithm, "other")}`),
      });
    }
    const good = await folder.write("GOOD", `${hex("sha512", "data")}  image.raw\n`);
    const bad = await folder.write("BAD", `${hex("sha512", "x")}  image.raw\n`);
    assert.equal((await identify({ file, checksums: good })).content, `sha256:${hex("sha256", "data")}`);
    await assert.rejects(identify({ file, checksums: bad }), { code: "content", message: /BAD says/ });
    await assert.rejects(identify({ file, checksums: folder.path("none") }), {
      code: "content",
      message: /checksums file .*none can't be read/,
    });
  });

  it("names what is wrong", async () => {
    await mkdir(folder.path("d"));
    await rm(folder.path("gone"), { force: true });
    await assert.rejects(identify({ file: folder.path("gone") }), { code: "content", message: /there is no file/ });
    await assert.rejects(identify({ file: "~/gone" }), { code: "content", message: /~ stands for nothing/ });
    await assert.rejects(identify({ file: folder.path("d") }), { code: "content", message: /is a directory/ });
    await assert.rejects(identify({ file: await folder.write("empty", "") }), { code: "content", message: /is empty/ });
    await assert.rejects(identify({ file: await folder.write("e.gz", gzipSync("")), decompress: "gz" }), {
      code: "content",
      message: /empty when decompressed/,
    });
    await assert.rejects(identify({ file: "/dev/null" }), { code: "content", message: /no regular file/ });
    await assert.rejects(identify({ file: "x", digest: "nonsense" }), { code: "invalid", message: /source\.digest/ });
  });
});

describe("identifying a url", () => {
  const folder = useFolder();
  const start = useServers();

  it("takes ETag and length from HEAD, and asks for no data", async () => {
    const { url, requests } = await start(serve(Buffer.from("data"), { etag: 'W/"v1"' }));
    assert.deepEqual(await identify({ url: `${url}/a` }), { content: 'etag:W/"v1" length 4', size: 4 });
    assert.deepEqual(
      requests.map(({ method }) => method),
      ["HEAD"],
    );
    assert.equal(requests[0]?.headers["accept-encoding"], "identity");
  });

  it("takes Last-Modified without ETag, and asks for a digest without either", async () => {
    const dated = await start((_, response) =>
      response.writeHead(200, { "content-length": 4, "last-modified": "Sat, 21 Nov 2026 07:00:00 GMT" }).end(),
    );
    assert.equal(
      (await identify({ url: `${dated.url}/a` })).content,
      "etag:modified Sat, 21 Nov 2026 07:00:00 GMT length 4",
    );
    const bare = await start((_, response) => response.writeHead(200, { "content-length": 4 }).end());
    await assert.rejects(identify({ url: `${bare.url}/a` }), {
      code: "content",
      message: /neither ETag nor Last-Modified.*digest/,
    });
    assert.deepEqual(await identify({ url: `${bare.url}/a`, digest: `md5:${hex("md5", "data")}` }), {
      content: `md5:${hex("md5", "data")}`,
      size: 4,
      digests: { md5: hex("md5", "data") },
    });
  });

  for (const [how, refuse] of [
    ["405", (response: import("node:http").ServerResponse) => response.writeHead(405).end()],
    ["403", (response: import("node:http").ServerResponse) => response.writeHead(403).end()],
    ["a broken connection", (response: import("node:http").ServerResponse) => response.destroy()],
  ] as const)
    for (const ranges of [true, false])
      it(`asks by GET when HEAD is answered with ${how}, ${ranges ? "with" : "without"} ranges`, async () => {
        const { url, requests } = await start((request, response) => {
          if (request.method === "HEAD") refuse(response);
          else if (ranges)
            response
              .writeHead(206, { "content-range": "bytes 0-0/1000000", "content-length": 1, etag: '"v"' })
              .end("a");
          else response.writeHead(200, { "content-length": 1_000_000, etag: '"v"' }).write("a");
        });
        assert.deepEqual(await identify({ url: `${url}/a` }), { content: 'etag:"v" length 1000000', size: 1_000_000 });
        assert.equal(requests[1]?.headers.range, "bytes=0-0");
      });

  it("leaves the size open when it is to be decompressed", async () => {
    const { url } = await start(serve(gzipSync("data"), { etag: '"v"' }));
    assert.deepEqual(Object.keys(await identify({ url: `${url}/a.gz`, decompress: "gz" })), ["content"]);
  });

  it("takes the digest from the publisher's checksums file, by the url's file name", async () => {
    const sums = `${hex("sha256", "x")}  other\n${hex("sha256", "data")} *noble image.img\n`;
    const { url, requests } = await start((request, response) =>
      serve(Buffer.from(request.url === "/SUMS" ? sums : "data"))(request, response),
    );
    const source = {
      url: `${url}/24.04/noble%20image.img?mirror=1`,
      checksums: `${url}/SUMS`,
      headers: { "X-Key": "sesame-open" },
    };
    assert.equal((await identify(source)).content, `sha256:${hex("sha256", "data")}`);
    assert.ok(requests.every(({ headers }) => headers["x-key"] === "sesame-open"));
    await assert.rejects(identify({ ...source, url: `${url}/none.img` }), {
      code: "content",
      message: /\/SUMS has no line for none\.img.*other, noble image\.img/,
    });
    const local = await folder.write("SUMS", sums);
    assert.equal((await identify({ ...source, checksums: local })).content, `sha256:${hex("sha256", "data")}`);
  });

  it("doesn't give the source's headers to another host's checksums file", async () => {
    const sums = await start(serve(Buffer.from(`${hex("sha256", "data")}  a\n`)));
    const { url } = await start(serve(Buffer.from("data")));
    await identify({ url: `${url}/a`, checksums: `${sums.url}/SUMS`, headers: { "X-Key": "sesame-open" } });
    assert.equal(sums.requests[0]?.headers["x-key"], undefined);
  });

  it("needs no request for a declared digest that is already known", async () => {
    const { url, requests } = await start((_, response) => response.writeHead(404).end());
    const digest = `sha256:${hex("sha256", "data")}`;
    assert.equal((await identify({ url: `${url}/a`, digest }, { known: digest })).content, digest);
    assert.equal(requests.length, 0);
    await assert.rejects(identify({ url: `${url}/a`, digest }, { known: "sha256:other" }), {
      code: "content",
      status: 404,
    });
  });

  it("tells what is wrong: not there, not allowed, empty, no server", async () => {
    const { url } = await start((request, response) => response.writeHead(Number(request.url?.slice(1))).end());
    await assert.rejects(identify({ url: `${url}/404` }), {
      code: "content",
      status: 404,
      message: /isn't there.*GET http.*\/404 answered 404/,
    });
    await assert.rejects(identify({ url: `${url}/403` }), {
      code: "content",
      status: 403,
      message: /may not be read.*headers/,
    });
    const empty = await start(serve(Buffer.alloc(0)));
    await assert.rejects(identify({ url: `${empty.url}/a` }), { code: "content", message: /is empty/ });
    const huge = await start(serve(Buffer.alloc(5_000_000, 10)));
    await assert.rejects(identify({ url: `${url}/a`, checksums: `${huge.url}/SUMS` }), {
      code: "content",
      message: /too large/,
    });
  });

  it("tries again when the server is busy, and then says so", async () => {
    let busy = 2;
    const { url, requests } = await start((request, response) =>
      busy-- > 0 ? response.writeHead(503).end() : serve(Buffer.from("data"), { etag: '"v"' })(request, response),
    );
    assert.equal((await identify({ url: `${url}/a` })).content, 'etag:"v" length 4');
    busy = Number.POSITIVE_INFINITY;
    requests.length = 0;
    await assert.rejects(identify({ url: `${url}/b` }), { code: "unavailable", status: 503 });
    assert.equal(requests.filter(({ method }) => method === "GET").length, 3);
  });

  it("ends at once when told", async () => {
    const controller = new AbortController();
    const { url } = await start(() => controller.abort());
    await assert.rejects(identify({ url: `${url}/a` }, { signal: controller.signal }), { code: "interrupted" });
  });
});
