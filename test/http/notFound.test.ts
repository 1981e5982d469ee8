import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { OwnAnswers } from "../../provider/http/ownAnswers.ts";
import type { ServiceRequest } from "../../provider/http.ts";
import { digitalOceanAnswers } from "../../provider/services/digitalocean/ownAnswers.ts";
import { divvyCloudAnswers } from "../../provider/services/divvycloud/ownAnswers.ts";
import { eclAnswers } from "../../provider/services/ecl/ownAnswers.ts";
import { glanceAnswers } from "../../provider/services/glance/ownAnswers.ts";
import { answer, clientOf, serve, type TestServer } from "./server.ts";

const glance = glanceAnswers("v2");
const header = { "x-openstack-request-id": "req-1" };
const page = "<html><body><h1>Not found</h1>Nothing behind this proxy</body></html>";
const html = { "content-type": "text/html" };
const wanted: ServiceRequest = { method: "GET", path: "/v2/images/a", accept: [404] };

type Answering = (response: ServerResponse, request: IncomingMessage) => void;
const gives =
  (status: number, body: unknown, headers?: Record<string, string>): Answering =>
  response =>
    answer(response, status, body, headers);

describe("a 404", () => {
  let server: TestServer;
  before(() => {
    process.env.PULUMI_IMAGES_RETRY_PAUSE_MS = "1";
  });
  after(() => {
    delete process.env.PULUMI_IMAGES_RETRY_PAUSE_MS;
  });
  afterEach(() => server.close());

  /** A server that answers the sign of life in one way, and all the rest in another. */
  async function open(own: OwnAnswers, rest: Answering, sign: Answering, strangerMs = 200) {
    server = await serve((request, response) => {
      const { pathname, searchParams } = new URL(request.url as string, "http://host");
      const asked = own.sign("/v2/images/a");
      const isSign = pathname === asked.path && [...searchParams].length === Object.keys(asked.query ?? {}).length;
      (isSign && request.method === "GET" ? sign : rest)(response, request);
    });
    return clientOf(server.url, { ownAnswers: own, strangerMs });
  }
  const paths = () => server.seen.map(({ method, path }) => `${method} ${path}`);
  const notItsOwn = {
    code: "unavailable",
    status: undefined,
    message: /404 Not Found doesn't come from the service itself/,
  };

  for (const name of ["x-openstack-request-id", "x-compute-request-id"]) {
    it(`with ${name} is Glance's, and costs nothing more`, async () => {
      const client = await open(glance, gives(404, page, { ...html, [name]: "req-1" }), gives(200, { images: [] }));
      assert.equal((await client.send(wanted)).status, 404);
      // The first version's look at an image has no body.
      assert.equal((await client.send({ ...wanted, method: "HEAD" })).status, 404);
      assert.deepEqual(paths(), ["GET /v2/images/a", "HEAD /v2/images/a"]);
    });
  }

  it("of a proxy that answers it to everything is no answer: it says so, and what to do", async () => {
    const proxy = gives(404, page, html);
    const client = await open(glance, proxy, proxy);
    for (const method of ["GET", "HEAD", "DELETE"] as const) {
      await assert.rejects(client.send({ ...wanted, method }), notItsOwn);
      await assert.rejects(client.send({ ...wanted, method, accept: [] }), notItsOwn, "expected or not");
    }
    await assert.rejects(client.send({ method: "GET", path: "/v2/images/a/members", accept: [403, 404] }), notItsOwn);
    await assert.rejects(client.download({ method: "GET", path: "/v2/images/a/file" }), notItsOwn);
    await assert.rejects(client.send(wanted), (error: Error) => {
      assert.match(error.message, /GET \/v2\/images shows no sign of it either/);
      assert.match(error.message, /Nothing counts as gone.*Check the connection's address and the proxies/);
      return true;
    });
  });

  it("of a proxy before a service that is there is no answer either: the service's answers have the header", async () => {
    const client = await open(glance, gives(404, page, html), gives(200, { images: [] }, header));
    await assert.rejects(client.send(wanted), notItsOwn);
    await assert.rejects(client.send(wanted), { message: /lacks the header x-openstack-request-id/ });
  });

  it("is tried again, as any answer of somebody else's is", async () => {
    let count = 0;
    const rest: Answering = response =>
      ++count < 3 ? answer(response, 404, page, html) : answer(response, 200, { id: "a" }, header);
    const client = await open(glance, rest, gives(404, page, html), 20_000);
    const { status, attempts } = await client.send(wanted);
    assert.deepEqual({ status, attempts }, { status: 200, attempts: 3 });
  });

  it("without the header counts where a gateway takes it from all answers: by a sign of life, one for all that wait", async () => {
    let missed = 0;
    let living: (() => void) | undefined;
    const ids = [..."abcdef"];
    const rest: Answering = response => {
      answer(response, 404, { message: "No image" });
      if (++missed === ids.length) living?.();
    };
    // It comes when all are answered.
    const sign: Answering = response => {
      const give = () => answer(response, 200, { images: [] });
      if (missed === ids.length) give();
      else living = give;
    };
    const client = await open(glance, rest, sign);
    const all = await Promise.all(ids.map(id => client.send({ ...wanted, path: `/v2/images/${id}` })));
    assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([404]));
    assert.ok(paths().filter(path => path === "GET /v2/images?limit=1").length < ids.length, paths().join(", "));
  });

  it("isn't believed for a sign of life from before it came", async () => {
    let isThere = true;
    const own = gives(404, { message: "No image" });
    const proxy = gives(404, page, html);
    const client = await open(
      glance,
      (...args) => (isThere ? own : proxy)(...args),
      (...args) => (isThere ? gives(200, { images: [] }) : proxy)(...args),
    );
    assert.equal((await client.send(wanted)).status, 404);
    isThere = false;
    await assert.rejects(client.send(wanted), notItsOwn);
  });

  for (const [title, sign] of Object.entries<Answering>({
    "a page": gives(200, page, html),
    "JSON of something else": gives(200, { status: "ok" }),
    "503": gives(503, "down"),
    "no answer at all": response => void response.destroy(),
  })) {
    it(`doesn't count when the sign of life is ${title}`, async () => {
      const client = await open(glance, gives(404, page, html), sign);
      await assert.rejects(client.send(wanted), notItsOwn);
    });
  }

  it("of a path that a service may not know needs a living service, whoever answers it", async () => {
    const stores: ServiceRequest = { method: "GET", path: "/v2/info/stores", accept: [404], optional: true };
    let client = await open(glance, gives(404, page, html), gives(200, { images: [] }, header));
    assert.equal((await client.send(stores)).status, 404);
    await server.close();
    client = await open(glance, gives(404, page, html), gives(404, page, html));
    await assert.rejects(client.send(stores), notItsOwn);
  });

  it("that isn't the service's doesn't begin twice what may have been begun", async () => {
    const client = await open(glance, gives(404, page, html), gives(404, page, html));
    await assert.rejects(client.send({ method: "POST", path: "/v2/images/a/import", json: {} }), notItsOwn);
    assert.equal(server.seen.filter(({ method }) => method === "POST").length, 1);
  });

  it("of DigitalOcean's is JSON with an id and a message, or has its rate limit", async () => {
    const error = { id: "not_found", message: "The resource you were accessing could not be found." };
    const sign = gives(200, { images: [] }, { "ratelimit-limit": "5000" });
    let client = await open(digitalOceanAnswers, gives(404, error), sign);
    assert.equal((await client.send(wanted)).status, 404);
    await server.close();
    client = await open(digitalOceanAnswers, gives(404, "", { "ratelimit-limit": "5000" }), sign);
    assert.equal((await client.send({ ...wanted, method: "DELETE" })).status, 404);
    assert.deepEqual(paths(), ["DELETE /v2/images/a"]);
    await server.close();
    client = await open(digitalOceanAnswers, gives(404, { message: "Not Found" }), sign);
    await assert.rejects(client.send(wanted), notItsOwn);
  });

  it("of DivvyCloud's can't be told by itself, so that its user's details are the sign of life", async () => {
    let client = await open(divvyCloudAnswers, gives(404, {}), gives(200, { user_id: 1, resource_id: "divvyuser:1:" }));
    assert.equal((await client.send(wanted)).status, 404);
    assert.deepEqual(paths(), ["GET /v2/images/a", "GET /v2/public/user/info"]);
    await server.close();
    client = await open(divvyCloudAnswers, gives(404, page, html), gives(404, page, html));
    await assert.rejects(client.send(wanted), notItsOwn);
  });

  it("of ECL's replicator is its own when its list of jobs is there, though its answers lack Glance's header", async () => {
    const job = "/v2/extension/image_replicator/jobs/a";
    server = await serve((request, response) =>
      request.url === "/v2/extension/image_replicator/jobs"
        ? answer(response, 200, [])
        : answer(response, 404, page, html),
    );
    const client = clientOf(server.url, { ownAnswers: eclAnswers, strangerMs: 200 });
    assert.equal((await client.send({ ...wanted, path: job })).status, 404);
    await assert.rejects(client.send(wanted), notItsOwn);
  });
});
