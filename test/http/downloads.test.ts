import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { ImagesError } from "../../provider/errors.ts";
import { answer, clientOf, Source, serve, type TestServer, until } from "./server.ts";

const MiB = 1024 * 1024;

async function digest(stream: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of stream) hash.update(part as Buffer);
  return hash.digest("hex");
}

describe("a download", () => {
  let server: TestServer;
  afterEach(() => server.close());

  it("gives the bytes as they are sent, also when they are called compressed", async () => {
    server = await serve((_request, response) => {
      response.writeHead(200, {
        "content-type": "application/octet-stream",
        "content-length": 9 * MiB,
        "content-encoding": "gzip",
      });
      new Source(9 * MiB).pipe(response);
    });
    const { status, headers, stream } = await clientOf(server.url).download({ method: "GET", path: "/file" });
    assert.deepEqual([status, headers["content-length"]], [200, String(9 * MiB)]);
    assert.equal(await digest(stream), await digest(new Source(9 * MiB)));
    assert.equal(server.seen[0]?.headers["accept-encoding"], undefined);
  });

  it("waits for its reader: a slow one keeps nothing in memory", async () => {
    let written = 0;
    server = await serve((_request, response) => {
      const source = new Source(512 * MiB);
      source.on("data", (part: Buffer) => {
        written += part.length;
      });
      source.pipe(response);
      response.on("close", () => source.destroy());
    });
    const { stream } = await clientOf(server.url).download({ method: "GET", path: "/" });
    let last = -1;
    while (written !== last) {
      last = written;
      await new Promise(resolve => setTimeout(resolve, 200));
    }
    assert.ok(written < 64 * MiB, `${written} bytes were taken by nobody`);
    stream.destroy();
  });

  it("is begun again until the service answers", async () => {
    server = await serve((_request, response, count) => {
      if (count === 1) answer(response, 503, {});
      else response.end("data");
    });
    const { stream } = await clientOf(server.url).download({ method: "GET", path: "/" });
    assert.equal((await stream.toArray()).join(""), "data");
  });

  it("that is refused fails in the service's own words; an accepted status is given", async () => {
    server = await serve((_request, response) => answer(response, 403, { message: "The image is deactivated" }));
    const client = clientOf(server.url);
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
      server = await serve((request, response) => {
        response.writeHead(200, { "content-length": "1000000" });
        response.write(Buffer.alloc(1000), () => end && request.socket.destroy());
      });
      const { stream } = await clientOf(server.url).download({ method: "GET", path: "/", stallSeconds: 0.3 });
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
    server = await serve((_request, response) => {
      new Source(64 * MiB).pipe(response);
      response.on("close", () => {
        closed = true;
      });
    });
    const { stream } = await clientOf(server.url).download({ method: "GET", path: "/" });
    await new Promise(resolve => stream.once("data", resolve));
    stream.destroy();
    await until(() => closed, "the server sees that nobody reads");
  });

  it("is stopped by its signal", async () => {
    server = await serve((_request, response) => {
      response.write("some");
    });
    const controller = new AbortController();
    const { stream } = await clientOf(server.url).download({ method: "GET", path: "/", signal: controller.signal });
    const read = digest(stream);
    controller.abort();
    await assert.rejects(read, { code: "interrupted" });
  });
});
