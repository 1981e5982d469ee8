import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Functions } from "../../provider/functions/index.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha512 } from "../support/disk.ts";
import { functionsOn } from "./open.ts";

onEachCloud("downloadImage", cloud => {
  const service = "openstack";
  const disk = noise("download", 12_000_001);
  let functions: Functions;
  let api: ImageApi;
  let imageId: string;
  let folder: string;
  let file: string;
  let part: string;

  before(async () => {
    functions = functionsOn({ openstack: connectionOf(cloud(), cloud().accounts.owner) });
    api = await cloud().as("owner");
    imageId = (await api.create({ name: "download", disk_format: "raw", container_format: "bare" }, disk)).id;
  });
  after(() => api.delete(imageId));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-images-download-"));
    file = join(folder, "disk.raw");
    part = `${file}.${imageId}.part`;
    cloud().forget();
  });
  afterEach(async () => {
    for (const recorder of cloud().recorders) recorder.faults.clear();
    await rm(folder, { recursive: true });
  });

  const reads = () =>
    cloud()
      .requests()
      .filter(({ path }) => path.endsWith("/file"));
  const ranges = () => reads().map(({ headers }) => headers.range);
  /** What this test's download is: the right file, and nothing beside it. */
  async function assertWhole(): Promise<void> {
    assert.equal(sha512(await readFile(file)), sha512(disk));
    assert.deepEqual(await readdir(folder), ["disk.raw"]);
  }

  /** Breaks a download off when so much of it is there. */
  async function interruptAt(bytes: number): Promise<void> {
    const abort = new AbortController();
    const download = functions.downloadImage(
      { service, imageId, file },
      {
        signal: abort.signal,
        progress: done => {
          if (done >= bytes) abort.abort();
        },
      },
    );
    await assert.rejects(download, { code: "interrupted", message: /disk\.raw\..*\.part has what came so far/ });
    assert.deepEqual(await readdir(folder), [`disk.raw.${imageId}.part`]);
  }

  it("brings the data into a file, and says what came", async () => {
    const seen: [number, number | undefined][] = [];
    const downloaded = await functions.downloadImage(
      { service, imageId, file },
      { progress: (bytes, total) => void seen.push([bytes, total]) },
    );
    assert.deepEqual(downloaded, {
      imageId,
      file,
      size: disk.length,
      digest: `sha512:${sha512(disk)}`,
      received: disk.length,
    });
    await assertWhole();
    assert.deepEqual(seen.at(-1), [disk.length, disk.length]);
    assert.ok(seen.length > 2);
  });

  it("moves nothing when the file is there already", async () => {
    await writeFile(file, disk);
    const before = await stat(file);
    const downloaded = await functions.downloadImage({ service, imageId, file });
    assert.equal(downloaded.received, 0);
    assert.deepEqual(reads(), []);
    assert.equal((await stat(file)).ino, before.ino);
  });

  it("leaves a file of other data alone, unless it may go", async () => {
    await writeFile(file, "precious");
    await assert.rejects(functions.downloadImage({ service, imageId, file }), {
      code: "conflict",
      message: /disk\.raw is there already, with other data than image .*set overwrite/,
    });
    assert.equal(await readFile(file, "utf8"), "precious");
    await functions.downloadImage({ service, imageId, file, overwrite: true });
    await assertWhole();
  });

  it("goes on where an interrupted one ended", async () => {
    await interruptAt(disk.length / 2);
    const kept = (await stat(part)).size;
    assert.ok(kept >= disk.length / 2 && kept < disk.length, String(kept));
    cloud().forget();
    const downloaded = await functions.downloadImage({ service, imageId, file });
    assert.deepEqual(ranges(), [`bytes=${kept}-`]);
    assert.equal(downloaded.received, disk.length - kept);
    await assertWhole();
  });

  it("finds a byte that was changed in what an interrupted one left, and brings the whole again", async () => {
    await interruptAt(disk.length / 2);
    const kept = (await stat(part)).size;
    const handle = await open(part, "r+");
    await handle.write(Buffer.from([(disk[1_000_000] as number) ^ 1]), 0, 1, 1_000_000);
    await handle.close();
    cloud().forget();
    const downloaded = await functions.downloadImage({ service, imageId, file });
    assert.deepEqual(ranges(), [`bytes=${kept}-`, undefined]);
    assert.equal(downloaded.received, disk.length - kept + disk.length);
    await assertWhole();
  });

  it("finds a byte that was changed on the way, and leaves no file", async () => {
    const wrong = Buffer.from(disk);
    wrong[7_000_000] = (wrong[7_000_000] as number) ^ 1;
    cloud().recorders[0]?.faults.add({ method: "GET", path: /\/file$/, status: 200, body: wrong, times: 1 });
    await assert.rejects(functions.downloadImage({ service, imageId, file }), {
      code: "content",
      message: /what came of image .* isn't what the service says it is \(sha512 /,
    });
    assert.deepEqual(await readdir(folder), []);
    await functions.downloadImage({ service, imageId, file });
    await assertWhole();
  });

  it("goes on by itself when the network breaks", async () => {
    cloud().recorders[0]?.faults.add({ method: "GET", path: /\/file$/, drop: "during-body", times: 2 });
    await functions.downloadImage({ service, imageId, file });
    const [first, ...others] = ranges();
    assert.equal(first, undefined);
    assert.equal(others.length, 2);
    await assertWhole();
  });

  it("begins again where the service knows no ranges", async () => {
    await writeFile(part, disk.subarray(0, 5_000_000));
    cloud().recorders[0]?.faults.add({ method: "GET", path: /\/file$/, status: 200, body: disk, times: 2 });
    await functions.downloadImage({ service, imageId, file });
    await assertWhole();
  });

  it("takes a part that is whole for what it is, and one that is longer for none", async () => {
    await writeFile(part, disk);
    assert.equal((await functions.downloadImage({ service, imageId, file })).received, 0);
    await assertWhole();
    await rm(file);
    await writeFile(part, Buffer.concat([disk, disk.subarray(0, 10)]));
    assert.equal((await functions.downloadImage({ service, imageId, file })).received, disk.length);
    await assertWhole();
    await rm(file);
    await writeFile(part, "");
    await truncate(part, disk.length);
    assert.equal((await functions.downloadImage({ service, imageId, file })).received, disk.length);
    await assertWhole();
  });

  it("goes well several times at once", async () => {
    const downloads = await Promise.all(
      Array.from({ length: 4 }, () => functions.downloadImage({ service, imageId, file })),
    );
    for (const { digest } of downloads) assert.equal(digest, `sha512:${sha512(disk)}`);
    await assertWhole();
  });

  it("says what can't be downloaded, and to where", async () => {
    await assert.rejects(functions.downloadImage({ service, imageId: randomUUID(), file }), { code: "not-found" });
    const empty = await api.create({ name: "empty" });
    try {
      await assert.rejects(functions.downloadImage({ service, imageId: empty.id, file }), {
        code: "conflict",
        message: /has no data: it is queued\. It can be downloaded once it is active/,
      });
    } finally {
      await api.delete(empty.id);
    }
    await assert.rejects(functions.downloadImage({ service, imageId, file: join(folder, "no", "where") }), {
      code: "invalid",
      message: /can't be written: .*ENOENT.*Make its folder first/,
    });
    await assert.rejects(functions.downloadImage({ service, imageId, file: folder }), {
      code: "invalid",
      message: /is there, and isn't a file/,
    });
    await assert.rejects(functions.downloadImage({ service, imageId }), {
      code: "invalid",
      message: "downloadImage needs file",
    });
  });
});
