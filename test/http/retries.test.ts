import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { ImagesError } from "../../provider/errors.ts";
import { pauseAfter, retryAfterMs } from "../../provider/http/retry.ts";
import type { ServiceRequest } from "../../provider/http.ts";
import { answer, bodyOf, clientOf, reset, serve, type TestServer } from "./server.ts";

type Fault = (request: IncomingMessage, response: ServerResponse) => void;

/** What a connection or a proxy may do after it has the request; none of it says whether the request was served. */
const unclear: Record<string, Fault> = {
  "a connection that is reset": reset,
  "a connection that is closed": request => request.socket.destroy(),
  "an answer that is cut": (request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write('{"id":', () => request.socket.destroy());
  },
  "an answer in chunks that is cut": (request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"id":', () => request.socket.destroy());
  },
  "an answer that stops": (_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"id":');
  },
  "no answer at all": () => undefined,
  "JSON that is cut short": (_request, response) => answer(response, 200, '{"id":'),
  "a length that is too short": (_request, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "6", connection: "close" });
    response.end('{"id":"the rest"}');
  },
  "a page of HTML": (_request, response) =>
    answer(response, 200, "<html><body>Sign in</body></html>", { "content-type": "text/html" }),
  "something that isn't HTTP": request => request.socket.end("hello\r\n\r\n"),
  "a 500": (_request, response) => answer(response, 500, { message: "oops" }),
  "a 502": (_request, response) => answer(response, 502, "<html>Bad gateway</html>", { "content-type": "text/html" }),
  "a 504": (_request, response) => answer(response, 504, ""),
};
/** Answers which say that the work wasn't done. */
const notServed: Record<string, Fault> = Object.fromEntries(
  [408, 425, 429, 503].map(status => [
    `a ${status}`,
    (_request: IncomingMessage, response: ServerResponse) => answer(response, status, {}),
  ]),
);

const get: ServiceRequest = { method: "GET", path: "/", stallSeconds: 0.2 };
const post: ServiceRequest = { method: "POST", path: "/", json: { name: "x" }, stallSeconds: 0.2 };

describe("sending again", () => {
  let server: TestServer;
  afterEach(() => server?.close());

  /** The fault for the first request, then a good answer; each only once the request's body is in. */
  async function faulty(fault: Fault): Promise<void> {
    server = await serve(async (request, response, count) => {
      await bodyOf(request);
      if (count === 1) fault(request, response);
      else answer(response, 200, { served: count });
    });
  }

  for (const [name, fault] of Object.entries({ ...unclear, ...notServed })) {
    it(`a repeatable request survives ${name}`, async () => {
      await faulty(fault);
      const { body, attempts } = await clientOf(server.url).send(get);
      assert.deepEqual([body, attempts], [{ served: 2 }, 2]);
    });
  }

  for (const [name, fault] of Object.entries(notServed)) {
    it(`a request that isn't repeatable survives ${name}`, async () => {
      await faulty(fault);
      assert.deepEqual((await clientOf(server.url).send(post)).body, { served: 2 });
    });
  }

  for (const [name, fault] of Object.entries(unclear)) {
    it(`a request that isn't repeatable isn't sent again after ${name}`, async () => {
      await faulty(fault);
      const error = await clientOf(server.url)
        .send(post)
        .catch(caught => caught as unknown);
      assert.ok(error instanceof ImagesError, String(error));
      assert.equal(error.code, "unavailable");
      if (error.status === undefined) assert.match(error.message, /It may have been served all the same$/);
      assert.match(error.message, /POST \//);
      assert.equal(server.seen.length, 1);
    });
  }

  it("a request that is said to be repeatable is sent again", async () => {
    await faulty(reset);
    assert.deepEqual((await clientOf(server.url).send({ ...post, repeatable: true })).body, { served: 2 });
    await server.close();
    await faulty(reset);
    await assert.rejects(clientOf(server.url).send({ ...get, repeatable: false }), { code: "unavailable" });
  });

  it("a server that isn't there yet is waited for, whatever the method", async () => {
    const port = await freePort();
    const sent = clientOf(`http://127.0.0.1:${port}`).send(post);
    await new Promise(resolve => setTimeout(resolve, 300));
    server = await serve((_request, response) => answer(response, 201, {}), { port });
    assert.ok((await sent).attempts > 1);
    assert.equal(server.seen.length, 1);
  });

  it("a host that never answered is given up soon, and the error says what was tried and what is set where", async () => {
    const client = clientOf(`http://127.0.0.1:${await freePort()}`, {
      strangerMs: 1200,
      addressHint: "authUrl is x (from OS_AUTH_URL)",
    });
    const error = await client.send(get).catch(caught => caught as ImagesError);
    assert.ok(error instanceof ImagesError);
    assert.equal(error.code, "unavailable");
    assert.match(
      error.message,
      /^No usable answer from 127\.0\.0\.1:\d+: the connection was refused \(ECONNREFUSED\) \(\d attempts in [\d.]+ s\) \[openstack: GET \/\]\. authUrl is x \(from OS_AUTH_URL\)$/,
    );
  });

  it("a name without an address is an error that names it", async () => {
    const client = clientOf("http://image.invalid", { strangerMs: 100 });
    await assert.rejects(client.send(get), { code: "unavailable", message: /image\.invalid: the host's name/ });
  });

  it("stops after eight tries, with the last answer and what was tried", async function () {
    this.timeout(120_000);
    server = await serve((_request, response) => answer(response, 503, { message: "Overloaded" }));
    const error = await clientOf(server.url)
      .send({ ...get, deadline: Date.now() + 5000 })
      .catch(caught => caught as unknown);
    assert.ok(error instanceof ImagesError);
    assert.match(error.message, /^Overloaded \(\d attempts in [\d.]+ s\) \[openstack: GET \/ answered 503\]$/);
    assert.equal(error.code, "unavailable");
    assert.ok(server.seen.length >= 3 && server.seen.length <= 8);
  });

  it("waits as Retry-After says, in seconds or as a date, and doesn't wait past the deadline", async () => {
    const arrivals: number[] = [];
    server = await serve((_request, response, count) => {
      arrivals.push(Date.now());
      const headers: Record<string, string>[] = [
        {},
        { "retry-after": "1" },
        { "retry-after": new Date(Date.now() + 2000).toUTCString() },
      ];
      if (count < 3) answer(response, 429, {}, headers[count]);
      else if (count === 3) answer(response, 200, {});
      else answer(response, 429, { message: "API rate limit exceeded." }, { "retry-after": "1000" });
    });
    const client = clientOf(server.url);
    assert.equal((await client.send(post)).attempts, 3);
    const [first, second] = arrivals as [number, number];
    assert.ok(second - first >= 990, `came back after ${second - first} ms`);
    await assert.rejects(client.send(get), {
      status: 429,
      message: "API rate limit exceeded. [openstack: GET / answered 429]. The service asks to wait: retry-after 1000",
    });
    assert.equal(server.seen.length, 4);
  });

  it("the deadline also ends a try that is under way", async () => {
    server = await serve(() => undefined);
    const sent = clientOf(server.url).send({ method: "GET", path: "/", deadline: Date.now() + 300 });
    await assert.rejects(sent, { code: "timeout", message: /the time for this request is over/ });
  });

  it("pauses grow, with chance in them, and end at twenty seconds", () => {
    for (let attempt = 1; attempt < 12; attempt++) {
      const full = Math.min(20_000, 500 * 2 ** (attempt - 1));
      const pauses = Array.from({ length: 50 }, () => pauseAfter(attempt));
      assert.ok(pauses.every(ms => ms > full / 2 - 1 && ms <= full));
      assert.ok(new Set(pauses).size > 10);
    }
  });

  it("Retry-After is read in both forms, and nonsense is ignored", () => {
    const now = Date.parse("Sat, 21 Nov 2026 08:00:00 GMT");
    assert.equal(retryAfterMs("7", now), 7000);
    assert.equal(retryAfterMs("Sat, 21 Nov 2026 08:00:05 GMT", now), 5000);
    assert.equal(retryAfterMs("Sat, 21 Nov 2026 07:00:00 GMT", now), 0);
    assert.deepEqual(
      [undefined, "", "soon"].map(value => retryAfterMs(value, now)),
      [undefined, undefined, undefined],
    );
  });
});

async function freePort(): Promise<number> {
  const taken = await serve(() => undefined);
  await taken.close();
  return taken.port;
}
