import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { noise } from "../support/disk.ts";
import { ForwardProxy } from "./forwardProxy.ts";
import { answer, bodyOf, clientOf, serve, type TestServer } from "./server.ts";

const run = promisify(execFile);
const data = noise("proxy", 3_000_000);

for (const tls of [false, true]) {
  describe(`a proxy for ${tls ? "https" : "http"}`, () => {
    const variable = tls ? "HTTPS_PROXY" : "HTTP_PROXY";
    const before = process.env[variable];
    let server: TestServer;
    let proxy: ForwardProxy;
    beforeEach(async () => {
      server = await serve(
        async (request, response) => {
          if (request.url === "/data") response.writeHead(200, { "content-length": data.length }).end(data);
          else if (request.method === "PUT") answer(response, 200, { bytes: (await bodyOf(request))?.length });
          else answer(response, 200, { fine: true });
        },
        { tls },
      );
      proxy = await ForwardProxy.start(server);
      process.env[variable] = proxy.url;
    });
    afterEach(async () => {
      if (before === undefined) delete process.env[variable];
      else process.env[variable] = before;
      await proxy.stop();
      await server.close();
    });
    const exchange = async (host: string) => {
      const client = clientOf(`${tls ? "https" : "http"}://${host}:${server.port}`, { insecure: true });
      assert.deepEqual((await client.send({ method: "GET", path: "/json" })).body, { fine: true });
      const { stream } = await client.download({ method: "GET", path: "/data" });
      assert.ok(Buffer.concat((await stream.toArray()) as Buffer[]).equals(data));
      const body = async () => ({ stream: Readable.from([data]), size: data.length });
      assert.deepEqual((await client.send({ method: "PUT", path: "/data/up", body })).body, { bytes: data.length });
    };

    it("carries requests, downloads and uploads", async () => {
      // An address that isn't this machine's name for itself.
      const host = "images.example.org";
      await exchange(host);
      const to = `${host}:${server.port}`;
      if (tls) assert.deepEqual([...new Set(proxy.asked)], [`CONNECT ${to}`]);
      else {
        const asked = [`GET http://${to}/json`, `GET http://${to}/data`, `PUT http://${to}/data/up`];
        assert.deepEqual(proxy.asked, asked);
      }
    });

    if (!tls) {
      it("carries a source's data", async () => {
        // In a process of its own, as its environment is read once.
        const url = `http://images.example.org:${server.port}/data`;
        const program = `
        import { createHash } from "node:crypto";
        import { openContent } from ${JSON.stringify(new URL("../../provider/content/index.ts", import.meta.url).href)};
        const { finished, stream } = await openContent({ url: process.argv[1] }, { algorithms: ["md5"] });
        stream.resume();
        console.log((await finished).digests.md5);
      `;
        const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program, url]);
        assert.equal(stdout.trim(), createHash("md5").update(data).digest("hex"));
        assert.deepEqual(proxy.asked, [`GET ${url}`]);
      });
    }

    it("isn't asked for what runs on this machine", async () => {
      await exchange("127.0.0.1");
      assert.deepEqual(proxy.asked, []);
    });
  });
}
