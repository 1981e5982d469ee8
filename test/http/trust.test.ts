import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answer, clientOf, serve, type TestServer } from "./server.ts";

const get = { method: "GET", path: "/" } as const;

describe("whom a request trusts", () => {
  const servers: TestServer[] = [];
  async function start(...parameters: Parameters<typeof serve>): Promise<TestServer> {
    const server = await serve(...parameters);
    servers.push(server);
    return server;
  }
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  it("a certificate that isn't vouched for is refused at once, with what to set", async () => {
    const server = await start((_request, response) => answer(response, 200, {}), { tls: true });
    await assert.rejects(clientOf(server.url).send(get), {
      code: "configuration",
      message:
        /The certificate of 127\.0\.0\.1:\d+ isn't accepted: .*Set caFile to the file of the authority that signed it$/,
    });
    assert.equal(server.seen.length, 0);
  });

  it("a certificate for another host is refused", async () => {
    const server = await start((_request, response) => answer(response, 200, {}), { tls: true });
    const client = clientOf(server.url.replace("127.0.0.1", "127.0.0.2"), { caFile: server.caFile });
    // Nothing listens there: so the same server by a name that its certificate doesn't have.
    const forward = net.createServer(socket => socket.pipe(net.connect(server.port, "127.0.0.1")).pipe(socket));
    await new Promise<void>(resolve => forward.listen(server.port, "127.0.0.2", resolve));
    try {
      await assert.rejects(client.send(get), { code: "configuration", message: /isn't accepted/ });
    } finally {
      forward.close();
    }
  });

  it("caFile vouches for it, insecure doesn't ask", async () => {
    const server = await start((_request, response) => answer(response, 200, {}), { tls: true });
    assert.equal((await clientOf(server.url, { caFile: server.caFile }).send(get)).status, 200);
    assert.equal((await clientOf(server.url, { insecure: true }).send(get)).status, 200);
  });

  it("a caFile that isn't one is named", async () => {
    const dir = mkdtempSync(join(tmpdir(), "images-ca-"));
    try {
      const caFile = join(dir, "ca.pem");
      await assert.rejects(clientOf("https://127.0.0.1:1", { caFile }).send(get), {
        code: "configuration",
        message: /ca\.pem/,
      });
      writeFileSync(caFile, "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
      await assert.rejects(clientOf("https://127.0.0.1:1", { caFile }).send(get), {
        code: "configuration",
        message: /ca\.pem/,
      });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("a redirect on the same host keeps the credentials, one to another host drops them", async () => {
    const other = await start((_request, response) => answer(response, 200, { here: "other" }));
    const server = await start((request, response) => {
      if (request.url === "/") answer(response, 302, "", { location: "/next" });
      else if (request.url === "/away") answer(response, 307, "", { location: `${other.url}/landed` });
      else answer(response, 200, { here: "same" });
    });
    const client = clientOf(server.url, {
      authorize: async () => ({ "X-Auth-Token": "t", Authorization: "Bearer t" }),
    });
    const headers = { Cookie: "c=1", "X-Own": "1" };
    assert.deepEqual((await client.send({ ...get, headers })).body, { here: "same" });
    assert.equal(server.seen[1]?.headers["x-auth-token"], "t");
    assert.deepEqual((await client.send({ ...get, path: "/away", headers })).body, { here: "other" });
    assert.deepEqual(
      ["x-auth-token", "authorization", "cookie", "x-own"].map(name => other.seen[0]?.headers[name]),
      [undefined, undefined, undefined, undefined],
    );
    const { stream } = await client.download({ ...get, path: "/away", headers });
    stream.destroy();
    assert.equal(other.seen[1]?.headers["x-auth-token"], undefined);
  });

  it("a redirect from https to http is refused", async () => {
    const plain = await start((_request, response) => answer(response, 200, {}));
    const server = await start((_request, response) => answer(response, 302, "", { location: plain.url }), {
      tls: true,
    });
    const client = clientOf(server.url, { caFile: server.caFile });
    await assert.rejects(client.send({ ...get, repeatable: false }), {
      message: /a redirect from https to http:.* is refused/,
    });
    await assert.rejects(client.download({ ...get, repeatable: false }), {
      message: /a redirect from https to http:.* is refused/,
    });
    assert.equal(plain.seen.length, 0);
  });

  it("a redirect of anything but GET isn't followed, and says where it points", async () => {
    const server = await start((_request, response) =>
      answer(response, 301, "", { location: "https://elsewhere.example.org/v2" }),
    );
    await assert.rejects(clientOf(server.url).send({ method: "POST", path: "/", json: {} }), {
      status: 301,
      code: "configuration",
      message: /It points to https:\/\/elsewhere\.example\.org\/v2/,
    });
  });

  it("a redirect in circles ends", async () => {
    const server = await start((_request, response) => answer(response, 302, "", { location: "/" }));
    await assert.rejects(clientOf(server.url).send({ ...get, repeatable: false }), { message: /[Rr]edirect/ });
    assert.ok(server.seen.length < 10);
  });

  it("a proxy of the environment is used, but not for this machine", async function () {
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    if (major < 24 || (major === 24 && minor < 5)) this.skip();
    const asked: string[] = [];
    const proxy = http.createServer((request, response) => {
      asked.push(request.url as string);
      answer(response, 200, { by: "proxy" });
    });
    await new Promise<void>(resolve => proxy.listen(0, "127.0.0.1", resolve));
    const before = { http_proxy: process.env.http_proxy, no_proxy: process.env.no_proxy };
    process.env.http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    process.env.no_proxy = "spared.invalid";
    try {
      const server = await start((_request, response) => answer(response, 200, { by: "server" }));
      assert.deepEqual((await clientOf(server.url).send(get)).body, { by: "server" });
      assert.deepEqual((await clientOf("http://images.invalid/base").send(get)).body, { by: "proxy" });
      await assert.rejects(clientOf("http://spared.invalid", { strangerMs: 1 }).send(get), { code: "unavailable" });
      assert.deepEqual(asked, ["http://images.invalid/base/"]);
    } finally {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});
