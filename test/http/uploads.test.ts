import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Worker } from "node:worker_threads";
import { ImagesError } from "../../provider/errors.ts";
import type { ServiceRequest } from "../../provider/http.ts";
import { answer, bodyOf, clientOf, reset, Source, serve, type TestServer, until } from "./server.ts";

const MiB = 1024 * 1024;

function upload(size: number, more: Partial<ServiceRequest> = {}): ServiceRequest {
  return { method: "PUT", path: "/v2/images/1/file", body: async () => ({ stream: new Source(size), size }), ...more };
}

for (const tls of [false, true]) {
  describe(`an upload over ${tls ? "https" : "http"}`, () => {
    let server: TestServer;
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);

    async function start(handler: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
      server = await serve(handler, { tls });
      return clientOf(server.url, tls ? { caFile: server.caFile } : {});
    }
    before(() => {
      process.on("unhandledRejection", note);
      process.on("uncaughtExceptionMonitor", note);
    });
    after(() => {
      process.off("unhandledRejection", note);
      process.off("uncaughtExceptionMonitor", note);
      assert.deepEqual(unhandled, []);
    });
    beforeEach(() => {
      Source.opened = [];
    });
    afterEach(async () => {
      await until(() => Source.opened.every(source => source.destroyed), "every source is closed");
      await server.close();
    });

    it("arrives as it is, with its length", async () => {
      let arrived = "";
      const client = await start(async (request, response) => {
        arrived = createHash("sha256")
          .update((await bodyOf(request)) as Buffer)
          .digest("hex");
        response.writeHead(204).end();
      });
      const { status, attempts } = await client.send(upload(5 * MiB + 17));
      assert.deepEqual([status, attempts], [204, 1]);
      const whole = createHash("sha256");
      for await (const part of new Source(5 * MiB + 17)) whole.update(part as Buffer);
      assert.equal(arrived, whole.digest("hex"));
      assert.equal(server.seen[0]?.headers["content-length"], String(5 * MiB + 17));
      assert.equal(server.seen[0]?.headers["content-type"], "application/octet-stream");
    });

    it("goes out in chunks when its size isn't known", async () => {
      let length = 0;
      const client = await start(async (request, response) => {
        length = (await bodyOf(request))?.length ?? -1;
        response.writeHead(204).end();
      });
      await client.send({ method: "PUT", path: "/", body: async () => ({ stream: new Source(3 * MiB) }) });
      assert.equal(length, 3 * MiB);
      assert.equal(server.seen[0]?.headers["transfer-encoding"], "chunked");
    });

    it("of nothing arrives as nothing", async () => {
      let length = -1;
      const client = await start(async (request, response) => {
        length = (await bodyOf(request))?.length ?? -1;
        response.writeHead(204).end();
      });
      assert.equal((await client.send(upload(0))).status, 204);
      assert.equal(length, 0);
    });

    for (const status of [401, 409, 413, 415]) {
      it(`that is refused at its beginning gives the refusal, every time: ${status}`, async () => {
        const client = await start((request, response) => {
          answer(response, status, { message: `refused with ${status}` }, { connection: "close" });
          response.on("finish", () => setImmediate(() => request.socket.destroy()));
        });
        for (let round = 0; round < 10; round++) {
          await assert.rejects(client.send(upload(64 * MiB)), {
            status,
            message: new RegExp(`^refused with ${status} `),
          });
        }
        assert.equal(server.seen.length, 10);
        assert.ok(Source.opened.every(source => source.given < 64 * MiB));
      });
    }

    it("that is refused in the middle, by a server that reads no more but keeps the connection, gives the refusal", async () => {
      const client = await start((request, response) => {
        let taken = 0;
        request.on("data", (part: Buffer) => {
          taken += part.length;
          if (taken < 3 * MiB) return;
          request.pause();
          answer(response, 413, { message: "quota" });
        });
      });
      await assert.rejects(client.send(upload(64 * MiB)), { status: 413, message: /^quota / });
    });

    it("whose connection is reset without an answer fails with the network's reason, and isn't sent again", async () => {
      const client = await start(request => {
        request.once("data", () => reset(request));
      });
      await assert.rejects(client.send(upload(64 * MiB)), (error: ImagesError) => {
        assert.equal(error.code, "unavailable");
        assert.match(error.message, /(ECONNRESET|EPIPE)/);
        assert.ok(error.cause instanceof Error);
        return true;
      });
      assert.equal(server.seen.length, 1);
    });

    it("that is repeatable begins again from its source's beginning", async () => {
      const lengths: (number | undefined)[] = [];
      const client = await start(async (request, response, count) => {
        if (count === 1) {
          request.once("data", () => reset(request));
          return;
        }
        lengths.push((await bodyOf(request))?.length);
        response.writeHead(204).end();
      });
      const { attempts } = await client.send(upload(8 * MiB, { repeatable: true }));
      assert.equal(attempts, 2);
      assert.deepEqual(lengths, [8 * MiB]);
      assert.equal(Source.opened.length, 2);
      assert.equal(Source.opened[1]?.given, 8 * MiB);
    });

    it("is opened again after a 503, and after a 401 with new credentials", async () => {
      server = await serve(
        async (request, response, count) => {
          await bodyOf(request);
          if (count === 1) answer(response, 503, {});
          else if (request.headers["x-auth-token"] !== "t2") answer(response, 401, {});
          else response.writeHead(204).end();
        },
        { tls },
      );
      let token = "t1";
      const client = clientOf(server.url, {
        ...(tls ? { caFile: server.caFile } : {}),
        authorize: async renew => {
          if (renew) token = "t2";
          return { "X-Auth-Token": token };
        },
      });
      assert.equal((await client.send(upload(MiB))).attempts, 3);
      assert.deepEqual(
        Source.opened.map(source => source.given),
        [MiB, MiB, MiB],
      );
    });

    it("to a server that stops reading is given up", async () => {
      const client = await start(request => {
        request.once("data", () => request.pause());
      });
      await assert.rejects(client.send(upload(64 * MiB, { stallSeconds: 0.3 })), {
        code: "unavailable",
        message: /no byte moved for 0\.3 s/,
      });
    });

    it("may be answered later than a stall lasts, once it is out; and not for ever", async () => {
      const client = await start(async (request, response) => {
        await bodyOf(request);
        if (request.url === "/slow") setTimeout(() => response.writeHead(204).end(), 800);
      });
      assert.equal((await client.send(upload(MiB, { path: "/slow", stallSeconds: 0.3 }))).status, 204);
      await assert.rejects(client.send(upload(MiB, { path: "/never", stallSeconds: 0.3, answerSeconds: 0.6 })), {
        message: /no byte moved for 0\.6 s/,
      });
    });

    it("whose source fails never completes, and fails with the source's own error", async () => {
      let complete: boolean | undefined;
      const client = await start(async request => {
        complete = (await bodyOf(request)) !== undefined;
      });
      const reason = new ImagesError("content", "the file changed while it was read");
      const failing = async () => {
        const stream = new Source(64 * MiB);
        stream.on("data", () => {
          if (stream.given > 4 * MiB) stream.destroy(reason);
        });
        return { stream, size: 64 * MiB };
      };
      await assert.rejects(
        client.send({ ...upload(0), body: failing, repeatable: true }),
        (error: unknown) => error === reason,
      );
      await until(() => complete !== undefined, "the server sees the end");
      assert.equal(complete, false);
      assert.equal(server.seen.length, 1);
    });

    it("whose source can't be opened isn't sent", async () => {
      const client = await start((_request, response) => response.writeHead(204).end());
      const body = () => Promise.reject(new ImagesError("content", "no such file"));
      await assert.rejects(client.send({ ...upload(0), body }), { code: "content", message: "no such file" });
      assert.equal(server.seen.length, 0);
    });

    for (const [what, size] of [
      ["less", 2 * MiB],
      ["more", 512 * 1024],
    ] as const) {
      it(`whose source gives ${what} than it said doesn't succeed`, async () => {
        const client = await start(async (request, response) => {
          if (await bodyOf(request)) response.writeHead(204).end();
        });
        const body = async () => ({ stream: new Source(MiB), size });
        await assert.rejects(client.send({ ...upload(0), body }), { code: "content" });
      });
    }

    it("that is answered well before its end didn't succeed", async () => {
      const client = await start((_request, response) => response.writeHead(204).end());
      await assert.rejects(client.send(upload(64 * MiB)), {
        code: "unavailable",
        message: /before it had the whole body/,
      });
    });

    it("is stopped by its signal", async () => {
      const controller = new AbortController();
      const client = await start(request => {
        request.once("data", () => {
          request.pause();
          controller.abort();
        });
      });
      await assert.rejects(client.send(upload(64 * MiB, { signal: controller.signal })), { code: "interrupted" });
    });
  });
}

/** Refuses at the first bytes and closes at once with the rest unread: a reset follows the answer within microseconds. */
const hastyServer = `
  const { parentPort } = require("node:worker_threads");
  const server = require("node:net").createServer(socket => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.pause();
      const body = '{"message":"status transition not allowed"}';
      const head = "HTTP/1.1 409 Conflict\\r\\nContent-Type: application/json\\r\\nConnection: close\\r\\nContent-Length: " + body.length;
      socket.write(head + "\\r\\n\\r\\n" + body, () => socket.destroy());
    });
  });
  server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
`;

describe("an upload to a server that refuses and resets the connection while data is on its way", () => {
  it("gives the refusal, two hundred times of two hundred", async () => {
    // On another thread, so that it answers in the middle of our writing; Node alone then loses about one answer in eight.
    const worker = new Worker(hastyServer, { eval: true });
    try {
      const [port] = (await once(worker, "message")) as [number];
      const client = clientOf(`http://127.0.0.1:${port}`);
      const outcomes = new Map<string, number>();
      for (let round = 0; round < 200; round++) {
        const outcome = await client.send(upload(64 * MiB)).then(
          () => "served",
          (error: ImagesError) => String(error.status ?? error.message),
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      assert.deepEqual([...outcomes], [["409", 200]]);
    } finally {
      await worker.terminate();
    }
  });
});
