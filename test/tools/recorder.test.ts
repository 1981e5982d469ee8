import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { type Recorder, startRecorder } from "../../tools/recorder/recorder.ts";

describe("recorder", () => {
  let recorder: Recorder;
  const services: Server[] = [];

  /** Puts the recorder in front of a service that answers like this. */
  async function inFrontOf(answer: RequestListener): Promise<Server> {
    const service = createServer({ keepAliveTimeout: 60_000 }, answer);
    services.push(service);
    service.listen(0, "127.0.0.1");
    await once(service, "listening");
    recorder.target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    return service;
  }

  async function until(condition: () => boolean): Promise<void> {
    const limit = Date.now() + 30_000;
    while (!condition()) {
      if (Date.now() > limit) throw new Error(`never came true: ${condition}`);
      await sleep(5);
    }
  }

  beforeEach(async () => {
    recorder = await startRecorder();
  });

  afterEach(async () => {
    await recorder.stop();
    for (const service of services.splice(0)) {
      service.closeAllConnections();
      service.close();
    }
  });

  it("passes requests and answers on as they are, and records them", async () => {
    await inFrontOf((incoming, response) => {
      void text(incoming).then(body => {
        response.setHeader("set-cookie", ["a=1", "b=2"]);
        response.writeHead(201, "Made", { "X-Host": incoming.headers.host ?? "" });
        response.end(`${incoming.method} ${incoming.url} ${incoming.headers["x-name"]} ${body}`);
      });
    });
    const answer = await fetch(`${recorder.url}/v2/images?limit=2&name=a%20b`, {
      method: "PATCH",
      headers: { "content-type": "application/openstack-images-v2.1-json-patch", "x-name": "value" },
      body: '[{"op":"add"}]',
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.statusText, "Made");
    assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.equal(answer.headers.get("x-host"), new URL(recorder.url).host);
    const body = await answer.text();
    assert.equal(body, 'PATCH /v2/images?limit=2&name=a%20b value [{"op":"add"}]');
    await until(() => recorder.requests[0]?.ended !== undefined);
    const [recorded] = recorder.requests;
    assert.ok(recorded?.ended !== undefined && recorded.ended >= recorded.started);
    assert.equal(recorder.requests.length, 1);
    assert.equal(recorded.method, "PATCH");
    assert.equal(recorded.path, "/v2/images?limit=2&name=a%20b");
    assert.equal(recorded.json, '[{"op":"add"}]');
    assert.equal(recorded.status, 201);
    assert.equal(recorded.requestBytes, 14);
    assert.equal(recorded.responseBytes, body.length);
    recorder.clear();
    assert.deepEqual(recorder.requests, []);
  });

  it("keeps framing: a known length stays one, chunks stay chunks, no body stays none", async () => {
    const seen: (string | undefined)[][] = [];
    await inFrontOf((incoming, response) => {
      seen.push([incoming.headers["content-length"], incoming.headers["transfer-encoding"]]);
      incoming.resume().on("end", () => {
        if (incoming.url === "/chunks") response.write("x");
        response.end();
      });
    });
    const send = async (method: string, path: string, headers: Record<string, string>, body?: string) => {
      const outgoing = request(`${recorder.url}${path}`, { method, headers });
      outgoing.useChunkedEncodingByDefault = "transfer-encoding" in headers;
      outgoing.end(body);
      const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
      await text(answer);
      return [answer.headers["content-length"], answer.headers["transfer-encoding"]];
    };
    assert.deepEqual(await send("PUT", "/", { "content-length": "3" }, "abc"), ["0", undefined]);
    assert.deepEqual(await send("PUT", "/chunks", { "transfer-encoding": "chunked" }, "abc"), [undefined, "chunked"]);
    await send("PUT", "/", {});
    await send("GET", "/", {});
    assert.deepEqual(seen, [
      ["3", undefined],
      [undefined, "chunked"],
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it("reuses one connection to the service for one connection of a client", async () => {
    const service = await inFrontOf((_incoming, response) => response.end("ok"));
    let connections = 0;
    service.on("connection", () => connections++);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 15; i++) {
      const [answer] = (await once(request(`${recorder.url}/${i}`, { agent }).end(), "response")) as [IncomingMessage];
      assert.equal(await text(answer), "ok");
    }
    agent.destroy();
    assert.equal(connections, 1);
  });

  it("closes the client's idle connection when the service closes its own", async () => {
    const service = await inFrontOf((_incoming, response) => response.end("ok"));
    const { port } = new URL(recorder.url);
    const client = connect(Number(port), "127.0.0.1").resume();
    client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(client, "data");
    service.closeIdleConnections();
    await once(client, "close");
  });

  it("streams both ways with backpressure", async () => {
    const size = 96 * 1024 * 1024;
    const piece = randomBytes(1024 * 1024);
    let letGo = (): void => {};
    const gate = new Promise<void>(resolve => {
      letGo = resolve;
    });
    await inFrontOf((incoming, response) => {
      void gate.then(() => incoming.pipe(response));
    });
    const outgoing = request(recorder.url, { method: "PUT", headers: { "content-length": String(size) } });
    const sent = createHash("sha256");
    const sending = (async () => {
      for (let at = 0; at < size; at += piece.length) {
        sent.update(piece);
        if (!outgoing.write(piece)) await once(outgoing, "drain");
      }
      outgoing.end();
    })();
    // The service reads nothing yet: what can be on its way is what sockets and streams hold.
    let before = -1;
    await until(() => (recorder.requests[0]?.requestBytes ?? 0) > 0);
    for (let still = 0; still < 20; await sleep(10)) {
      const now = recorder.requests[0]?.requestBytes ?? 0;
      still = now === before ? still + 1 : 0;
      before = now;
    }
    assert.ok(before < 32 * 1024 * 1024, `${before} bytes were taken in while the service read none`);
    letGo();
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    const received = createHash("sha256");
    for await (const data of answer) received.update(data as Buffer);
    await sending;
    assert.equal(received.digest("hex"), sent.digest("hex"));
    assert.equal(recorder.requests[0]?.requestBytes, size);
    assert.equal(recorder.requests[0]?.responseBytes, size);
  });

  it("passes Expect: 100-continue on, and the service's refusal of it", async () => {
    const service = await inFrontOf((incoming, response) => {
      void text(incoming).then(body => response.end(body));
    });
    service.on("checkContinue", (incoming: IncomingMessage, response) => {
      if (incoming.url === "/no") {
        response.writeHead(417, { connection: "close" }).end();
        return;
      }
      response.writeContinue();
      service.emit("request", incoming, response);
    });
    const send = async (path: string): Promise<[number | undefined, boolean, string]> => {
      let continued = false;
      const headers = { expect: "100-continue", "content-length": "4" };
      const outgoing = request(`${recorder.url}${path}`, { method: "PUT", headers, agent: false });
      outgoing.on("continue", () => {
        continued = true;
        outgoing.end("data");
      });
      outgoing.flushHeaders();
      const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
      const body = await text(answer);
      outgoing.on("error", () => {}).destroy();
      return [answer.statusCode, continued, body];
    };
    assert.deepEqual(await send("/yes"), [200, true, "data"]);
    assert.deepEqual(await send("/no"), [417, false, ""]);
  });

  it("passes on an answer that comes while the client is still sending", async () => {
    await inFrontOf((_incoming, response) => {
      response.writeHead(413).end("too much");
    });
    const outgoing = request(recorder.url, { method: "PUT", headers: { "content-length": String(1024 ** 3) } });
    outgoing.on("error", () => {});
    outgoing.write(randomBytes(256 * 1024));
    const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
    assert.equal(answer.statusCode, 413);
    assert.equal(await text(answer), "too much");
    outgoing.destroy();
    assert.equal(recorder.requests[0]?.status, 413);
  });

  it("breaks the client's connection when the service breaks its own, before and in the middle of an answer", async () => {
    await inFrontOf((incoming, response) => {
      if (incoming.url === "/before") incoming.socket.resetAndDestroy();
      else response.writeHead(200, { "content-length": "10" }).write("half", () => incoming.socket.destroy());
    });
    await assert.rejects(fetch(`${recorder.url}/before`), TypeError);
    await assert.rejects(
      fetch(`${recorder.url}/middle`).then(answer => answer.text()),
      TypeError,
    );
    assert.equal(recorder.requests[0]?.status, undefined);
    assert.equal(recorder.requests[1]?.status, 200);
  });

  it("ends the request to the service when the client goes away", async () => {
    let gone = false;
    await inFrontOf(incoming => {
      incoming
        .resume()
        .on("error", () => {})
        .on("close", () => {
          gone = !incoming.complete;
        });
    });
    const outgoing = request(recorder.url, { method: "PUT", headers: { "content-length": "1000000" } });
    outgoing.on("error", () => {});
    outgoing.write("some");
    await until(() => recorder.requests[0]?.requestBytes === 4);
    outgoing.destroy();
    await until(() => gone);
  });

  describe("faults", () => {
    let served: string[];

    beforeEach(async () => {
      served = [];
      await inFrontOf((incoming, response) => {
        void text(incoming).then(
          body => {
            served.push(`${incoming.method} ${incoming.url} ${body.length}`);
            response.end("served");
          },
          () => {},
        );
      });
    });

    const get = (path: string): Promise<string> => fetch(`${recorder.url}${path}`).then(answer => answer.text());

    it("answer instead of the service, so many times, where method and path match", async () => {
      recorder.faults.add({
        method: "GET",
        path: /^\/b/,
        times: 2,
        status: 503,
        headers: { "retry-after": "1" },
        body: "no",
      });
      assert.equal(await get("/a"), "served");
      for (let i = 0; i < 2; i++) {
        const answer = await fetch(`${recorder.url}/b`);
        assert.equal(answer.status, 503);
        assert.equal(answer.headers.get("retry-after"), "1");
        assert.equal(await answer.text(), "no");
      }
      assert.equal(await get("/b"), "served");
      assert.deepEqual(served, ["GET /a 0", "GET /b 0"]);
      assert.deepEqual(
        recorder.requests.map(({ status }) => status),
        [200, 503, 503, 200],
      );
    });

    it("answer in place of the service's own answer, after its work", async () => {
      recorder.faults.add({ after: true, status: 500 });
      assert.equal((await fetch(recorder.url)).status, 500);
      assert.deepEqual(served, ["GET / 0"]);
    });

    it("drop the connection before, in the middle of, and after the work", async () => {
      recorder.faults.add({ drop: "before" });
      await assert.rejects(get("/before"), TypeError);
      assert.deepEqual(served, []);
      recorder.faults.add({ drop: "after" });
      await assert.rejects(get("/after"), TypeError);
      assert.deepEqual(served, ["GET /after 0"]);
      recorder.faults.add({ drop: "during-body" });
      const body = Buffer.alloc(8 * 1024 * 1024);
      await assert.rejects(fetch(recorder.url, { method: "PUT", body }), TypeError);
      const last = recorder.requests.at(-1);
      assert.ok(last !== undefined && last.requestBytes > 0 && last.requestBytes < body.length);
      recorder.faults.add({ drop: "during-body" });
      await assert.rejects(get("/answer"), TypeError);
      assert.equal(served.length, 2);
    });

    it("call a hook before or after the service's work, and wait for it", async () => {
      const order: string[] = [];
      const note = (word: string) => async (): Promise<void> => {
        await sleep(1);
        order.push(`${word}: ${served.length} served`);
      };
      recorder.faults.add({ hook: note("before") });
      recorder.faults.add({ hook: note("after"), after: true });
      assert.equal(await get("/1"), "served");
      assert.equal(await get("/2"), "served");
      assert.deepEqual(order, ["before: 0 served", "after: 2 served"]);
    });

    it("hold a body back", async () => {
      recorder.faults.add({ method: "PUT", stallMs: 60_000 });
      const ending = new AbortController();
      const body = Buffer.alloc(8 * 1024 * 1024);
      const stalled = fetch(recorder.url, { method: "PUT", body, signal: ending.signal });
      await until(() => (recorder.requests[0]?.requestBytes ?? 0) > 0);
      ending.abort();
      await assert.rejects(stalled, { name: "AbortError" });
      assert.ok((recorder.requests[0]?.requestBytes ?? 0) < body.length);
      assert.deepEqual(served, []);
    });
  });

  it("says so when it has no target yet", async () => {
    recorder.target = undefined;
    assert.equal((await fetch(recorder.url)).status, 502);
  });
});
