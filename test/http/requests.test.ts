import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImagesError } from "../../provider/errors.ts";
import { answer, bodyOf, clientOf, serve, type TestServer } from "./server.ts";

const { version: packageVersion } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { version: string };

describe("a request", () => {
  let server: TestServer;
  afterEach(() => server.close());

  it("asks for JSON, says who it is, signs, and parses the answer", async () => {
    server = await serve((_request, response) => answer(response, 200, { name: "ubuntu" }, { "X-Extra": "1" }));
    const client = clientOf(`${server.url}/image/`, { authorize: async () => ({ "X-Auth-Token": "token-1" }) });
    const { status, body, headers, attempts } = await client.send({
      method: "GET",
      path: "/v2/images",
      query: { tag: ["a b", "c"], limit: 5, hidden: true, owner: undefined },
    });
    assert.deepEqual(
      { status, body, extra: headers["x-extra"], attempts },
      { status: 200, body: { name: "ubuntu" }, extra: "1", attempts: 1 },
    );
    const [seen] = server.seen;
    assert.equal(seen?.path, "/image/v2/images?tag=a+b&tag=c&limit=5&hidden=true");
    assert.equal(seen?.headers.accept, "application/json");
    assert.equal(seen?.headers["user-agent"], `pulumi-images/${packageVersion}`);
    assert.equal(seen?.headers["x-auth-token"], "token-1");
  });

  it("sends JSON under the content type that is asked for", async () => {
    const bodies: string[] = [];
    server = await serve(async (request, response) => {
      bodies.push(String(await bodyOf(request)));
      response.writeHead(204).end();
    });
    const client = clientOf(server.url);
    const patch = "application/openstack-images-v2.1-json-patch";
    const { body, status } = await client.send({
      method: "PATCH",
      path: "/a",
      json: [{ op: "add" }],
      headers: { "Content-Type": patch },
    });
    await client.send({ method: "POST", path: "/b", json: { name: "ü" } });
    await client.send({ method: "POST", path: "/c" });
    assert.deepEqual([body, status], [undefined, 204]);
    assert.deepEqual(bodies, ['[{"op":"add"}]', '{"name":"ü"}', ""]);
    assert.deepEqual(
      server.seen.map(({ headers }) => headers["content-type"]),
      [patch, "application/json", undefined],
    );
    assert.equal(server.seen[2]?.headers["content-length"], "0");
  });

  it("keeps numbers that JavaScript can't hold as their digits", async () => {
    server = await serve((_request, response) =>
      answer(
        response,
        200,
        '{"id":9007199254740993,"size":9007199254740991,"list":[-12345678901234567890],"ratio":0.12345678901234566,"text":"12345678901234567890"}',
      ),
    );
    const { body } = await clientOf(server.url).send({ method: "GET", path: "/" });
    assert.deepEqual(body, {
      id: "9007199254740993",
      size: 9007199254740991,
      list: ["-12345678901234567890"],
      ratio: 0.12345678901234566,
      text: "12345678901234567890",
    });
  });

  it("gives plain text as text, and an accepted status instead of an error", async () => {
    server = await serve((request, response) => {
      if (request.url === "/text") return answer(response, 200, "hello", { "content-type": "text/plain" });
      return answer(response, 409, { message: "exists" });
    });
    const client = clientOf(server.url);
    assert.equal((await client.send({ method: "GET", path: "/text" })).body, "hello");
    const { status, body } = await client.send({ method: "POST", path: "/exists", accept: [409] });
    assert.deepEqual([status, body], [409, { message: "exists" }]);
  });

  it("reads answers that are compressed", async () => {
    const { gzipSync } = await import("node:zlib");
    server = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(gzipSync('{"droplets":[]}'));
    });
    assert.deepEqual((await clientOf(server.url).send({ method: "GET", path: "/" })).body, { droplets: [] });
  });

  const refusals: [string, number, string, string, Record<string, string>, Partial<ImagesError>][] = [
    [
      "Glance, as JSON with tags",
      404,
      '{"message":"No image found with ID x &amp; y<br /><br />\\n\\n\\n","code":"404 Not Found","title":"Not Found"}',
      "application/json",
      { "x-openstack-request-id": "req-1" },
      {
        code: "not-found",
        message: "No image found with ID x & y [openstack: GET /x answered 404, request id req-1]",
        requestId: "req-1",
      },
    ],
    [
      "Glance, as HTML",
      403,
      "<html>\n <head>\n  <title>403 Forbidden</title>\n </head>\n <body>\n  <h1>403 Forbidden</h1>\n  Image 7 is &quot;protected&quot; and cannot be deleted.<br /><br />\n\n\n </body>\n</html>",
      "text/html; charset=UTF-8",
      {},
      { code: "forbidden", message: 'Image 7 is "protected" and cannot be deleted. [openstack: GET /x answered 403]' },
    ],
    [
      "ECL, as text",
      409,
      "409 Conflict\nDestination is down.",
      "text/plain",
      {},
      { code: "conflict", message: "409 Conflict Destination is down. [openstack: GET /x answered 409]" },
    ],
    [
      "DigitalOcean",
      422,
      '{"id":"unprocessable_entity","message":"Name is too long","request_id":"4d9d8375"}',
      "application/json",
      {},
      {
        code: "rejected",
        requestId: "4d9d8375",
        message: "Name is too long [openstack: GET /x answered 422, request id 4d9d8375]",
      },
    ],
    [
      "Keystone",
      401,
      '{"error":{"code":401,"title":"Unauthorized","message":"The request you have made requires authentication."}}',
      "application/json",
      {},
      {
        code: "unauthorized",
        message:
          "The request you have made requires authentication. [openstack: GET /x answered 401]. Check the connection's credentials",
      },
    ],
    [
      "ECL's gateway",
      400,
      '{"fault":{"faultstring":"Bad tenant"}}',
      "application/json",
      {},
      { code: "rejected", message: "Bad tenant [openstack: GET /x answered 400]" },
    ],
    [
      "nothing",
      501,
      "",
      "text/plain",
      {},
      { code: "unsupported", message: "501 Not Implemented [openstack: GET /x answered 501]" },
    ],
    [
      "JSON that is cut",
      413,
      '{"message":"too big',
      "application/json",
      {},
      { code: "rejected", message: '{"message":"too big [openstack: GET /x answered 413]' },
    ],
  ];
  for (const [name, status, body, contentType, headers, expected] of refusals) {
    it(`is refused in the service's own words: ${name}`, async () => {
      server = await serve((_request, response) =>
        answer(response, status, body, { "content-type": contentType, ...headers }),
      );
      const error = await clientOf(server.url)
        .send({ method: "GET", path: "/x" })
        .catch(caught => caught as unknown);
      assert.ok(error instanceof ImagesError);
      const { message, code, requestId } = error;
      assert.deepEqual(
        { message, code, status: error.status, requestId },
        { requestId: undefined, ...expected, status },
      );
      assert.equal(server.seen.length, 1);
    });
  }

  it("asks for new credentials once after a 401, and repeats even what isn't repeatable", async () => {
    const bodies: (string | undefined)[] = [];
    server = await serve(async (request, response) => {
      bodies.push((await bodyOf(request))?.toString());
      if (request.headers["x-auth-token"] === "new") answer(response, 201, {});
      else answer(response, 401, { error: { message: "expired" } });
    });
    const asked: boolean[] = [];
    let token = "old";
    const client = clientOf(server.url, {
      authorize: async renew => {
        asked.push(renew);
        if (renew) token = "new";
        return { "X-Auth-Token": token };
      },
    });
    assert.equal((await client.send({ method: "POST", path: "/", json: { a: 1 } })).attempts, 2);
    assert.deepEqual(bodies, ['{"a":1}', '{"a":1}']);
    assert.deepEqual(asked, [false, false, true]);
  });

  it("renews credentials once for many requests that meet a 401 together", async () => {
    server = await serve((request, response) =>
      answer(response, request.headers["x-auth-token"] === "t2" ? 200 : 401, {}),
    );
    let renewals = 0;
    let current = Promise.resolve("t1");
    const client = clientOf(server.url, {
      authorize: async renew => {
        if (renew) {
          renewals += 1;
          current = new Promise(resolve => setTimeout(() => resolve("t2"), 50));
        }
        return { "X-Auth-Token": await current };
      },
    });
    const first = client.send({ method: "GET", path: "/" });
    await first;
    await Promise.all(Array.from({ length: 10 }, () => client.send({ method: "GET", path: "/" })));
    assert.equal(renewals, 1);
  });

  it("fails on a second 401, and at once when the credentials can't be renewed", async () => {
    server = await serve((_request, response) => answer(response, 401, { message: "no" }));
    let count = 0;
    const renewing = clientOf(server.url, {
      authorize: async renew => ({ Authorization: `Bearer t${renew ? ++count : count}` }),
    });
    await assert.rejects(renewing.send({ method: "GET", path: "/" }), { code: "unauthorized", status: 401 });
    assert.equal(server.seen.length, 2);
    const fixed = clientOf(server.url, { authorize: async () => ({ Authorization: "Bearer t" }) });
    await assert.rejects(fixed.send({ method: "GET", path: "/" }), { code: "unauthorized" });
    assert.equal(server.seen.length, 3);
  });

  it("that can't be written is an error at once", async () => {
    server = await serve((_request, response) => answer(response, 200, {}));
    const client = clientOf(server.url);
    await assert.rejects(
      client.send({ method: "GET", path: "/", headers: { "X-Name": "a\r\nb" } }),
      (error: unknown) => {
        assert.ok(error instanceof ImagesError);
        assert.doesNotMatch(error.message, /attempts/);
        return true;
      },
    );
    await assert.rejects(clientOf("not a url").send({ method: "GET", path: "/" }), { code: "configuration" });
    assert.equal(server.seen.length, 0);
  });

  it("is given up when its signal says so, also while it waits to try again", async () => {
    server = await serve((request, response, count) => {
      if (request.url === "/busy") answer(response, 503, {}, { "retry-after": "60" });
      else if (count > 0) request.socket.pause();
    });
    for (const path of ["/busy", "/silent"]) {
      const controller = new AbortController();
      const before = server.seen.length;
      const sent = clientOf(server.url).send({ method: "GET", path, signal: controller.signal });
      const rejected = assert.rejects(sent, { code: "interrupted" });
      const timer = setInterval(() => {
        if (server.seen.length > before) controller.abort();
      }, 50);
      await rejected;
      clearInterval(timer);
    }
    await assert.rejects(clientOf(server.url).send({ method: "GET", path: "/", signal: AbortSignal.abort() }), {
      code: "interrupted",
    });
  });

  it("writes a trace without headers and bodies", async () => {
    const dir = mkdtempSync(join(tmpdir(), "images-trace-"));
    process.env.PULUMI_IMAGES_TRACE = join(dir, "trace");
    try {
      server = await serve((_request, response, count) =>
        answer(response, count === 1 ? 503 : 200, { secret: "in the answer" }),
      );
      await clientOf(server.url, { authorize: async () => ({ "X-Auth-Token": "in-the-header" }) }).send({
        method: "PUT",
        path: "/v2/images/1?x-amz-signature=deadbeef",
        json: { password: "in the body" },
      });
      const text = readFileSync(process.env.PULUMI_IMAGES_TRACE, "utf8");
      const lines = text
        .trim()
        .split("\n")
        .map(line => JSON.parse(line) as Record<string, unknown>);
      assert.deepEqual(
        lines.map(({ service, method, path, status, attempt, sent, received }) => ({
          service,
          method,
          path,
          status,
          attempt,
          sent,
          received,
        })),
        [503, 200].map((status, index) => ({
          service: "openstack",
          method: "PUT",
          path: "/v2/images/1?x-amz-signature=[secret]",
          status,
          attempt: index + 1,
          sent: 26,
          received: 26,
        })),
      );
      assert.doesNotMatch(text, /in.the.(answer|header|body)|deadbeef/);
    } finally {
      delete process.env.PULUMI_IMAGES_TRACE;
      rmSync(dir, { recursive: true });
    }
  });
});
