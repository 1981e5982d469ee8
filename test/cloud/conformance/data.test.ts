import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { PassThrough, Readable } from "node:stream";
import { onEachCloud } from "../../openstack/clouds.ts";
import { DATA_TYPE, ImageClient, RAW, stores } from "./client.ts";
import { gpt, iso, qcow2, qcow2WithBackingFile, vdi, vhd, vhdx, vmdk } from "./diskImages.ts";

const digest = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest("hex");

onEachCloud("Image data", cloud => {
  let owner: ImageClient;
  let consumer: ImageClient;
  before(() => {
    owner = new ImageClient(cloud());
    consumer = new ImageClient(cloud(), "consumer");
  });

  describe("upload", () => {
    it("makes the image active, with size, digests and store", async () => {
      const data = Buffer.alloc(300_000, "data");
      const id = await owner.create(RAW);
      const answer = await owner.upload(id, data);
      assert.equal(answer.status, 204, answer.text);
      assert.equal(answer.text, "");
      const { json } = await owner.get(id);
      assert.equal(json.status, "active");
      assert.equal(json.size, data.length);
      assert.equal(json.virtual_size, data.length);
      assert.equal(json.checksum, digest("md5", data));
      assert.equal(json.os_hash_algo, "sha512");
      assert.equal(json.os_hash_value, digest("sha512", data));
      assert.equal(json.stores, "fast");
    });

    it("goes to the store that the header names", async () => {
      const id = await owner.create(RAW);
      assert.equal((await owner.upload(id, Buffer.alloc(10), { "x-image-meta-store": "nope" })).status, 400);
      assert.equal((await owner.upload(id, Buffer.alloc(10), { "x-image-meta-store": "slow" })).status, 204);
      assert.equal((await owner.get(id)).json.stores, "slow");
    });

    it("may be chunked, and may be empty", async () => {
      const chunked = await owner.create(RAW);
      const data = Buffer.alloc(200_000, 3);
      assert.equal(
        (await owner.upload(chunked, Readable.from([data.subarray(0, 1000), data.subarray(1000)]))).status,
        204,
      );
      assert.equal((await owner.get(chunked)).json.checksum, digest("md5", data));
      const empty = await owner.create(RAW);
      assert.equal((await owner.upload(empty, Buffer.alloc(0))).status, 204);
      const { json } = await owner.get(empty);
      assert.equal(json.status, "active");
      assert.equal(json.size, 0);
    });

    it("is checked against the announced size", async () => {
      const id = await owner.create(RAW);
      const short = await owner.upload(id, Buffer.alloc(1000), { "x-openstack-image-size": "2000" });
      assert.equal(short.status, 400);
      assert.match(short.json.message, /Size mismatch: expected 2000 bytes, got 1000 bytes/);
      assert.equal((await owner.get(id)).json.status, "queued");
      const long = await owner.upload(id, Buffer.alloc(1000), { "x-openstack-image-size": "500" });
      assert.equal(long.status, 400);
      assert.match(long.json.message, /Size exceeds: expected 500 bytes/);
      assert.equal((await owner.upload(id, Buffer.alloc(10), { "x-openstack-image-size": "abc" })).status, 400);
      assert.equal((await owner.upload(id, Buffer.alloc(1000), { "x-openstack-image-size": "1000" })).status, 204);
    });

    it("is refused for another content type, without formats, for a foreign image, and the second time", async () => {
      const id = await owner.create(RAW);
      const typed = await owner.send("PUT", `/v2/images/${id}/file`, Buffer.alloc(10), {
        "content-type": "text/plain",
      });
      assert.equal(typed.status, 415);
      assert.equal((await consumer.upload(id, Buffer.alloc(10))).status, 404);
      const bare = await owner.create({ name: "no formats" });
      const missing = await owner.upload(bare, Buffer.alloc(10));
      assert.equal(missing.status, 400);
      assert.match(missing.json.message, /Properties disk_format, container_format must be set prior to saving data/);
      await owner.upload(id, Buffer.alloc(10));
      const again = await owner.upload(id, Buffer.alloc(10));
      assert.equal(again.status, 409);
      assert.match(again.json.message, /Image status transition from active to saving is not allowed/);
    });

    it("that is refused early answers or resets, whatever the client still has to say", async () => {
      const id = await owner.create(RAW);
      await owner.upload(id, Buffer.alloc(10));
      const answer = await owner.upload(id, Buffer.alloc(32 * 1024 * 1024));
      assert.ok(answer.status === 409 || answer.status === 0, `${answer.status} ${answer.text}`);
      if (answer.status === 0) assert.match(answer.text, /ECONNRESET|EPIPE/);
      assert.equal((await owner.get(id)).json.size, 10);
    });

    it("that waits to be asked for its body is refused before, or asked", async () => {
      const taken = await owner.create(RAW);
      await owner.upload(taken, Buffer.alloc(10));
      const expect = { expect: "100-continue", "content-length": "1000" };
      // The body is never sent, unless the server asks for it.
      const refused = await owner.upload(taken, new PassThrough(), expect);
      assert.equal(refused.status, 409);
      const free = await owner.create(RAW);
      assert.equal((await owner.upload(free, Buffer.alloc(1000), expect)).status, 204);
    });

    it("of several at once lets one through", async () => {
      const id = await owner.create(RAW);
      const bodies = [1, 2, 3].map(byte => Buffer.alloc(9 * 1024 * 1024, byte));
      const answers = await Promise.all(bodies.map(body => owner.upload(id, body)));
      assert.equal(answers.filter(({ status }) => status === 204).length, 1);
      const winner = answers.findIndex(({ status }) => status === 204);
      const { json } = await owner.get(id);
      assert.equal(json.checksum, digest("md5", bodies[winner] as Buffer));
    });
  });

  describe("interrupted upload", () => {
    /** Sends the head and a part of the body, and waits until the server is at it. */
    async function begin(id: string, path: "file" | "stage", chunked: boolean) {
      const { hostname, port } = new URL(owner.url);
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {});
      const length = chunked ? "Transfer-Encoding: chunked" : "Content-Length: 8000000";
      socket.write(
        `PUT /v2/images/${id}/${path} HTTP/1.1\r\nHost: ${hostname}\r\nX-Auth-Token: ${await owner.token()}\r\nContent-Type: ${DATA_TYPE}\r\n${length}\r\n\r\n`,
      );
      const part = Buffer.alloc(100_000, 5);
      if (chunked) socket.write(`${part.length.toString(16)}\r\n`);
      socket.write(part);
      await owner.status(id, path === "file" ? "saving" : "uploading");
      return socket;
    }

    for (const path of ["file", "stage"] as const) {
      for (const chunked of [false, true]) {
        for (const how of ["end", "resetAndDestroy"] as const) {
          it(`of ${path} (${chunked ? "chunked" : "with its length"}, ${how}) leaves the image queued, and can be repeated`, async () => {
            const id = await owner.create(RAW);
            const socket = await begin(id, path, chunked);
            socket[how]();
            await owner.status(id, "queued");
            socket.destroy();
            assert.equal((await owner.upload(id, Buffer.alloc(1000, 6))).status, 204);
            assert.equal((await owner.status(id, "active")).size, 1000);
          });
        }
      }
    }

    it("by deleting the image ends in 410", async () => {
      const id = await owner.create(RAW);
      let finish = () => {};
      const gate = new Promise<void>(resolve => {
        finish = resolve;
      });
      async function* slowly() {
        yield Buffer.alloc(1000);
        await gate;
        yield Buffer.alloc(1000);
      }
      const uploading = owner.upload(id, Readable.from(slowly()));
      await owner.status(id, "saving");
      assert.equal((await owner.send("DELETE", `/v2/images/${id}`)).status, 204);
      finish();
      assert.equal((await uploading).status, 410);
      assert.equal((await owner.get(id)).status, 404);
    });
  });

  describe("changes while data comes in", () => {
    for (const path of ["file", "stage"] as const) {
      it(`(${path}) are seen, and lost when it is in; members stay`, async () => {
        const id = await owner.create({ name: "before", ...RAW, visibility: "shared" });
        let finish = () => {};
        const gate = new Promise<void>(resolve => {
          finish = resolve;
        });
        async function* slowly() {
          yield Buffer.alloc(1000);
          await gate;
          yield Buffer.alloc(1000);
        }
        const sending = owner.send("PUT", `/v2/images/${id}/${path}`, Readable.from(slowly()), {
          "content-type": DATA_TYPE,
        });
        await owner.status(id, path === "file" ? "saving" : "uploading");
        assert.equal((await owner.send("PUT", `/v2/images/${id}/tags/during`)).status, 204);
        const change = await owner.patch(
          id,
          { op: "replace", path: "/name", value: "during" },
          { op: "add", path: "/during", value: "x" },
        );
        assert.equal(change.status, 200);
        assert.equal((await owner.send("POST", `/v2/images/${id}/members`, { member: "m" })).status, 200);
        const during = (await owner.get(id)).json;
        assert.deepEqual([during.name, during.during, during.tags], ["during", "x", ["during"]]);
        finish();
        assert.equal((await sending).status, 204);
        const { json } = await owner.get(id);
        assert.deepEqual([json.name, json.during, json.tags], ["before", undefined, []]);
        assert.equal((await owner.send("GET", `/v2/images/${id}/members`)).json.members.length, 1);
      });
    }
  });

  describe("download", () => {
    let id: string;
    const data = Buffer.from("0123456789");
    const get = (headers = {}, who = owner) => who.send("GET", `/v2/images/${id}/file`, undefined, headers);
    before(async () => {
      id = await owner.create(RAW);
      await owner.upload(id, data);
    });

    it("gives the bytes, their number and their MD5", async () => {
      const { status, headers, text } = await get();
      assert.equal(status, 200);
      assert.equal(text, "0123456789");
      assert.equal(headers["content-type"], DATA_TYPE);
      assert.equal(headers["content-length"], "10");
      assert.equal(headers["content-md5"], digest("md5", data));
      assert.equal(headers.etag, undefined);
      assert.equal((await get({ "if-none-match": "*" })).status, 200);
      assert.equal((await get({}, consumer)).status, 404);
    });

    it("gives a part", async () => {
      const parts: [range: string, text: string, contentRange: string][] = [
        ["bytes=0-3", "0123", "bytes 0-3/10"],
        ["bytes=4-", "456789", "bytes 4-9/10"],
        ["bytes=-3", "789", "bytes 7-9/10"],
        ["bytes=9-20", "9", "bytes 9-9/10"],
      ];
      for (const [range, text, contentRange] of parts) {
        const answer = await get({ range });
        assert.equal(answer.status, 206, range);
        assert.equal(answer.text, text);
        assert.equal(answer.headers["content-range"], contentRange);
        assert.equal(answer.headers["content-length"], String(text.length));
      }
      for (const range of ["bytes=10-", "bytes=5-2", "bytes=a-b"])
        assert.equal((await get({ range })).status, 416, range);
      assert.equal((await get({ range: "bytes=0-1,3-4" })).status, 400);
    });

    it("is 204 where there is no data", async () => {
      const queued = await owner.create(RAW);
      assert.equal((await owner.send("GET", `/v2/images/${queued}/file`)).status, 204);
    });
  });

  describe("formats", () => {
    const taken: [name: string, format: string, data: Buffer, virtualSize: number | null][] = [
      ["random bytes", "raw", Buffer.alloc(5000, 7), 5000],
      ["a qcow2", "qcow2", qcow2(10 * 2 ** 30), 10 * 2 ** 30],
      ["a qcow2", "raw", qcow2(10 * 2 ** 30), 4096],
      ["a VHD", "vhd", vhd(123_456_789n), 123_456_789],
      ["a VHDX", "vhdx", vhdx(4_294_967_296n), 4_294_967_296],
      ["a VMDK", "vmdk", vmdk("streamOptimized", 20_480n), 20_480 * 512],
      ["a VDI", "vdi", vdi(5_368_709_120n), 5_368_709_120],
      ["an ISO", "iso", iso(20), 20 * 2048],
      ["a partitioned disk", "raw", gpt(), 4096],
      ["random bytes", "ami", Buffer.alloc(5000, 7), null],
      ["random bytes", "ploop", Buffer.alloc(5000, 7), null],
    ];
    for (const [name, format, data, virtualSize] of taken) {
      it(`take ${name} as ${format}`, async () => {
        const id = await owner.create({ disk_format: format, container_format: "bare" });
        const answer = await owner.upload(id, data);
        assert.equal(answer.status, 204, answer.text);
        assert.equal((await owner.get(id)).json.virtual_size, virtualSize);
      });
    }

    const refused: [name: string, format: string, data: Buffer, reason: RegExp][] = [
      ["random bytes", "qcow2", Buffer.alloc(5000, 7), /Image disk_format qcow2 does not match stream data raw/],
      ["a header cut short", "qcow2", qcow2(2 ** 30, 104), /does not match stream data raw/],
      ["a qcow2", "vmdk", qcow2(2 ** 30), /Image disk_format vmdk does not match stream data qcow2/],
      ["an ISO", "ami", iso(20), /Image disk_format ami does not match stream data iso/],
      ["a qcow2 with a backing file", "qcow2", qcow2WithBackingFile(), /Image failed safety checks/],
      ["a qcow2 with a backing file", "raw", qcow2WithBackingFile(), /Image failed safety checks/],
      ["a VMDK with its data elsewhere", "vmdk", vmdk("monolithicFlat", 20_480n), /Image failed safety checks/],
      [
        "a bootable ISO",
        "raw",
        Buffer.concat([gpt().subarray(0, 512), iso(20).subarray(512)]),
        /Multiple formats detected/,
      ],
    ];
    for (const [name, format, data, reason] of refused) {
      it(`refuse ${name} as ${format}`, async () => {
        const id = await owner.create({ disk_format: format, container_format: "bare" });
        const answer = await owner.upload(id, data);
        assert.equal(answer.status, 415);
        assert.match(answer.json.message, reason);
        assert.equal((await owner.get(id)).json.status, "queued");
      });
    }

    it("aren't looked at in a container", async () => {
      const id = await owner.create({ disk_format: "qcow2", container_format: "ovf" });
      assert.equal((await owner.upload(id, Buffer.alloc(5000, 7))).status, 204);
      assert.equal((await owner.get(id)).json.virtual_size, null);
    });

    it("that were refused leave an image that takes no data any more, in any store", async () => {
      const id = await owner.create({ disk_format: "qcow2", container_format: "bare" });
      const bad = Buffer.alloc(5000, 7);
      assert.equal((await owner.upload(id, bad)).status, 415);
      const { json } = await owner.get(id);
      assert.equal(json.checksum, digest("md5", bad));
      assert.equal(json.size, null);
      assert.equal((await owner.upload(id, qcow2(2 ** 30))).status, 500);
      assert.equal((await owner.upload(id, qcow2(2 ** 30), { "x-image-meta-store": "slow" })).status, 500);
      assert.equal((await owner.get(id)).json.status, "queued");
      assert.equal((await owner.send("DELETE", `/v2/images/${id}`)).status, 204);
    });
  });

  describe("stores", () => {
    it("lose data by an admin's hand only, and never the last of it", async () => {
      const admin = new ImageClient(cloud(), "admin");
      const id = await owner.create(RAW);
      await owner.upload(id, Buffer.alloc(10));
      assert.equal((await owner.send("DELETE", `/v2/stores/fast/${id}`)).status, 403);
      const last = await admin.send("DELETE", `/v2/stores/fast/${id}`);
      assert.equal(last.status, 403);
      assert.match(last.json.message, /Cannot delete image data from the only store containing it/);
      assert.equal((await admin.send("DELETE", `/v2/stores/nope/${id}`)).status, 409);
      assert.equal((await owner.import(id, { method: { name: "copy-image" }, stores: ["slow"] })).status, 202);
      await owner.settled(id);
      assert.equal(stores((await owner.get(id)).json), "fast,slow");
      assert.equal((await admin.send("DELETE", `/v2/stores/fast/${id}`)).status, 204);
      assert.equal((await owner.get(id)).json.stores, "slow");
      assert.equal((await owner.send("GET", `/v2/images/${id}/file`)).text, "\0".repeat(10));
    });
  });

  it("locations are for an admin to see, and for nobody to give", async () => {
    const admin = new ImageClient(cloud(), "admin");
    const id = await owner.create(RAW);
    const location = { url: "http://127.0.0.1/x", metadata: {} };
    assert.equal((await owner.send("POST", `/v2/images/${id}/locations`, { url: location.url })).status, 403);
    assert.equal((await owner.patch(id, { op: "add", path: "/locations/-", value: location })).status, 403);
    await owner.upload(id, Buffer.alloc(10));
    assert.equal((await owner.send("GET", `/v2/images/${id}/locations`)).status, 403);
    const { json } = await admin.send("GET", `/v2/images/${id}/locations`);
    assert.equal(json.length, 1);
    assert.match(json[0].url, /^file:\/\//);
    assert.equal(json[0].metadata.store, "fast");
  });
});
