import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { ImagesError } from "../../provider/errors.ts";
import { noise } from "../support/disk.ts";
import { answer, clientOf, Source, serve, type TestServer, until } from "./server.ts";

const MiB = 1024 * 1024;

async function digest(stream: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of stream) hash.update(part as Buffer);
  return hash.digest("hex");
}

for (const tls of [false, true]) {
  describe(`a download over ${tls ? "https" : "http"}`, () => {
    let server: TestServer;
    const open = async (handler: Parameters<typeof serve>[0]) => {
      server = await serve(handler, { tls });
      return clientOf(server.url, tls ? { caFile: server.caFile } : {});
    };
    afterEach(() => server.close());

    it("gives the bytes as they are sent, also when they are called compressed", async () => {
      const client = await open((_request, response) => {
        response.writeHead(200, {
          "content-type": "application/octet-stream",
          "content-length": 9 * MiB,
          "content-encoding": "gzip",
        });
        new Source(9 * MiB).pipe(response);
      });
      const { status, headers, stream } = await client.download({ method: "GET", path: "/file" });
      assert.deepEqual([status, headers["content-length"]], [200, String(9 * MiB)]);
      assert.equal(await digest(stream), await digest(new Source(9 * MiB)));
      assert.equal(server.seen[0]?.headers["accept-encoding"], undefined);
    });

    it("waits for its reader: a slow one keeps nothing in memory", async () => {
      let written = 0;
      const client = await open((_request, response) => {
        const source = new Source(512 * MiB);
        source.on("data", (part: Buffer) => {
          written += part.length;
        });
        source.pipe(response);
        response.on("close", () => source.destroy());
      });
      const { stream } = await client.download({ method: "GET", path: "/" });
      let last = -1;
      while (written !== last) {
        last = written;
        await new Promise(resolve => setTimeout(resolve, 200));
      }
      assert.ok(written < 64 * MiB, `${written} bytes were taken by nobody`);
      stream.destroy();
    });

    it("is begun again until the service answers", async () => {
      const client = await open((_request, response, count) => {
        if (count === 1) answer(response, 503, {});
        else response.end("data");
      });
      const { stream } = await client.download({ method: "GET", path: "/" });
      assert.equal((await stream.toArray()).join(""), "data");
    });

    it("that is refused fails in the service's own words; an accepted status is given", async () => {
      const client = await open((_request, response) => answer(response, 403, { message: "The image is deactivated" }));
      await assert.rejects(client.download({ method: "GET", path: "/" }), {
        status: 403,
        message: /^The image is deactivated /,
      });
      assert.equal((await client.download({ method: "GET", path: "/", accept: [403] })).status, 403);
    });

    for (const [name, end] of [
      ["is cut", true],
      ["stalls", false],
    ] as const) {
      it(`that ${name} fails instead of ending`, async () => {
        const client = await open((request, response) => {
          response.writeHead(200, { "content-length": "1000000" });
          response.write(Buffer.alloc(1000), () => end && request.socket.destroy());
        });
        const { stream } = await client.download({ method: "GET", path: "/", stallSeconds: 0.3 });
        await assert.rejects(digest(stream), (error: unknown) => {
          assert.ok(error instanceof ImagesError);
          assert.equal(error.code, "unavailable");
          assert.match(error.message, /^The data from 127\.0\.0\.1:\d+ ended after 1000 bytes: /);
          return true;
        });
      });
    }

    it("that its reader leaves closes the connection", async () => {
      let closed = false;
      const client = await open((_request, response) => {
        new Source(64 * MiB).pipe(response);
        response.on("close", () => {
          closed = true;
        });
      });
      const { stream } = await client.download({ method: "GET", path: "/" });
      await new Promise(resolve => stream.once("data", resolve));
      stream.destroy();
      await until(() => closed, "the server sees that nobody reads");
    });

    it("is stopped by its signal", async () => {
      const client = await open((_request, response) => {
        response.write("some");
      });
      const controller = new AbortController();
      const { stream } = await client.download({ method: "GET", path: "/", signal: controller.signal });
      const read = digest(stream);
      controller.abort();
      await assert.rejects(read, { code: "interrupted" });
    });

    for (const framing of ["its length", "chunks", "the end of its connection"] as const) {
      it(`that is ended by ${framing} gives each byte, however they come`, async () => {
        const data = noise("download", 3 * MiB);
        const client = await open((_request, response) => {
          if (framing === "its length") response.setHeader("content-length", data.length);
          if (framing === "the end of its connection") response.useChunkedEncodingByDefault = false;
          void trickle(data, response);
        });
        const { stream } = await client.download({ method: "GET", path: "/" });
        const parts = (await stream.toArray()) as Buffer[];
        assert.ok(Buffer.concat(parts).equals(data));
      });
    }

    it("gives what has come without waiting for more", async () => {
      const client = await open((_request, response) => {
        response.writeHead(200, { "content-length": 3000 });
        response.write(Buffer.alloc(1000));
        setTimeout(() => response.write(Buffer.alloc(1000)), 100);
      });
      const { stream } = await client.download({ method: "GET", path: "/" });
      let bytes = 0;
      stream.on("data", (part: Buffer) => (bytes += part.length));
      await until(() => bytes === 2000, "what the server has sent is there");
      stream.destroy();
    });

    it("that is cut gives what came before it fails", async () => {
      const client = await open((request, response) => {
        response.writeHead(200, { "content-length": 3 * MiB });
        response.write(Buffer.alloc(1000));
        setTimeout(() => response.write(Buffer.alloc(100_000), () => request.socket.end()), 50);
      });
      const { stream } = await client.download({ method: "GET", path: "/" });
      let bytes = 0;
      const read = async () => {
        for await (const part of stream) bytes += (part as Buffer).length;
      };
      await assert.rejects(read(), { code: "unavailable" });
      assert.equal(bytes, 101_000);
    });

    it("that is cut before anybody reads it fails once it is read", async () => {
      const client = await open((request, response) => {
        response.writeHead(200, { "content-length": 3 * MiB });
        response.write(Buffer.alloc(1000), () => request.socket.destroy());
      });
      const { stream } = await client.download({ method: "GET", path: "/" });
      await until(() => stream.destroyed, "the end of the connection is seen");
      await assert.rejects(digest(stream), { code: "unavailable" });
    });

    it("ends with its length, whatever else is sent", async () => {
      const client = await open(({ socket }) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
        setTimeout(() => socket.write(Buffer.alloc(400_000)), 50);
      });
      const { stream } = await client.download({ method: "GET", path: "/" });
      assert.equal(Buffer.concat((await stream.toArray()) as Buffer[]).length, 300_000);
    });

    it("leaves a connection that others can use, or none", async () => {
      const client = await open((request, response) => {
        if (request.url === "/json") answer(response, 200, { fine: true });
        else response.end(noise("download", Number(request.url?.slice(1))));
      });
      for (const size of [10, 0, MiB, 1000, 20_000, 3 * MiB, 10]) {
        const { stream } = await client.download({ method: "GET", path: `/${size}` });
        assert.ok(Buffer.concat((await stream.toArray()) as Buffer[]).equals(noise("download", size)));
        assert.deepEqual((await client.send({ method: "GET", path: "/json" })).body, { fine: true });
      }
    });
  });
}

/** Sends data in pieces from a byte to a few hundred KiB, some of them after a pause. */
async function trickle(data: Uint8Array, response: ServerResponse): Promise<void> {
  const sizes = [1, 300_000, 17, 70_000, 16_384, 5, 262_144, 100, 650_000];
  for (let at = 0, turn = 0; at < data.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    response.write(data.subarray(at, at + size));
    at += size;
    if (turn % 3 === 0) await new Promise(resolve => setTimeout(resolve, turn % 2 === 0 ? 3 : 40));
  }
  response.end();
}
