import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { generate } from "selfsigned";
import { identify, openContent } from "../../provider/content/index.ts";
import { hex, imageData, receive, serve, useFolder, useServers } from "./fixture.ts";

const secret = "planted-secret-4711";

describe("sending a url", () => {
  useFolder();
  const start = useServers();

  it("gives the bytes as they are, checked, with their digests", async () => {
    const data = imageData(9_500_000);
    const { url, requests } = await start(serve(data));
    const source = {
      url: `${url}/a.img`,
      digest: `sha512:${hex("sha512", data)}`,
      headers: { Authorization: `Bearer ${secret}` },
    };
    const expected = await identify(source);
    const { data: got, finished, announced } = await receive(source, { expected, algorithms: ["md5", "sha512"] });
    assert.ok(got.equals(data));
    assert.equal(announced, data.length);
    assert.deepEqual(finished, { size: data.length, digests: { md5: hex("md5", data), sha512: hex("sha512", data) } });
    assert.ok(requests.every(({ headers }) => headers.authorization === `Bearer ${secret}`));
  });

  it("leaves a content encoding alone: image.gz stays one", async () => {
    const { url } = await start(serve(Buffer.from("not even gz"), { "content-encoding": "gzip" }));
    assert.equal((await receive({ url: `${url}/a.gz` })).data.toString(), "not even gz");
  });

  it("reads a chunked answer, whose length nobody knows", async () => {
    const data = imageData(2_000_000);
    const { url } = await start((_, response) => {
      response.write(data.subarray(0, 1_000_000));
      response.end(data.subarray(1_000_000));
    });
    const { data: got, announced } = await receive({ url: `${url}/a` });
    assert.ok(got.equals(data));
    assert.equal(announced, undefined);
  });

  it("holds the end back when the digest differs", async () => {
    const data = imageData(2_000_000);
    const { url } = await start(serve(data));
    const { data: got, error } = await receive({ url: `${url}/a`, digest: `sha256:${hex("sha256", "other")}` });
    assert.equal(error?.code, "content");
    assert.ok(got.length < data.length);
  });

  it("takes the digest from a checksums file, also without identify", async () => {
    const { url } = await start((request, response) =>
      serve(Buffer.from(request.url === "/SUMS" ? `${hex("md5", "good")}  a\n` : "evil"))(request, response),
    );
    const { data, error } = await receive({ url: `${url}/a`, checksums: `${url}/SUMS` }).catch(error => ({
      data: "",
      error,
    }));
    assert.equal(data.length, 0);
    assert.equal(error?.code, "content");
    assert.match(error.message, /SUMS says/);
  });

  it("notices that it changed since identify", async () => {
    let data = imageData(100_000);
    const { url } = await start((request, response) => serve(data)(request, response));
    const source = { url: `${url}/a` };
    const expected = await identify(source);
    data = imageData(100_000);
    await assert.rejects(openContent(source, { expected, algorithms: [] }), {
      code: "content",
      message: /changed since it was identified/,
    });
  });

  for (const [how, announced] of [
    ["cut in the middle", 4_000_000],
    ["cut in the middle of a chunked answer", undefined],
  ] as const)
    it(`fails when it is ${how}, and can begin again`, async () => {
      const data = imageData(4_000_000);
      let cut = true;
      const { url } = await start((request, response) => {
        if (!cut) return serve(data)(request, response);
        if (announced) response.setHeader("content-length", announced);
        response.write(data.subarray(0, 2_000_000), () => response.destroy());
      });
      const { data: got, error, finished } = await receive({ url: `${url}/a` });
      assert.equal(error?.code, "unavailable");
      assert.match(error.message, /broke off after \d+/);
      assert.ok(got.length <= 2_000_000);
      assert.equal(finished, undefined);
      cut = false;
      assert.ok((await receive({ url: `${url}/a` })).data.equals(data));
    });

  it("fails when it stalls, but not while the reader is slow", async () => {
    const data = imageData(4_000_000);
    const stalling = await start((_, response) => {
      response.setHeader("content-length", data.length);
      response.write(data.subarray(0, 2_000_000));
    });
    const { error } = await receive({ url: `${stalling.url}/a` }, { stallSeconds: 0.3 });
    assert.equal(error?.code, "unavailable");
    assert.match(error.message, /sent nothing for 0.3 s/);

    const { url } = await start(serve(data));
    const content = await openContent({ url: `${url}/a` }, { algorithms: [], stallSeconds: 0.3 });
    let count = 0;
    for await (const chunk of content.stream) {
      if (count === 0) await new Promise(resolve => setTimeout(resolve, 1000));
      count += chunk.length;
    }
    assert.equal(count, data.length);
  });

  it("tells what a server answers instead of data", async () => {
    const { url } = await start((request, response) => response.writeHead(Number(request.url?.slice(1, 4))).end());
    for (const [status, code] of [
      [404, "content"],
      [401, "content"],
      [206, "content"],
      [204, "content"],
      [503, "unavailable"],
      [429, "unavailable"],
    ] as const)
      await assert.rejects(
        openContent({ url: `${url}/${status}?sig=${secret}` }, { algorithms: [] }),
        (error: Error & { code: string }) => {
          assert.equal(error.code, code);
          assert.doesNotMatch(error.message, new RegExp(secret));
          return true;
        },
      );
    const gone = await start(() => {});
    gone.server.closeAllConnections();
    await new Promise(resolve => gone.server.close(resolve));
    await assert.rejects(openContent({ url: `${gone.url}/a` }, { algorithms: [] }), {
      code: "unavailable",
      message: /can't be reached.*ECONNREFUSED/,
    });
  });

  it("follows a redirect, and keeps headers from another host", async () => {
    const data = imageData(10_000);
    const other = await start(serve(data));
    const { url, requests } = await start((request, response) => {
      if (request.url === "/here") response.writeHead(302, { location: "/there" }).end();
      else response.writeHead(307, { location: `${other.url}/image` }).end();
    });
    const source = {
      url: `${url.replace("//", `//user:${secret}@`)}/here`,
      headers: { "X-Key": secret, Cookie: `session=${secret}` },
    };
    assert.ok((await receive(source)).data.equals(data));
    await identify(source);
    assert.ok(requests.length >= 4);
    for (const { headers } of requests) assert.equal(headers["x-key"], secret, "the same host gets them");
    assert.ok(other.requests.length >= 2);
    for (const { headers } of other.requests)
      assert.doesNotMatch(JSON.stringify(headers), new RegExp(`${secret}|authorization`, "i"));
  });

  it("gives up on redirects without end", async () => {
    const { url } = await start((_, response) => response.writeHead(302, { location: "/again" }).end());
    await assert.rejects(identify({ url: `${url}/a` }), { code: "content", message: /redirects without end/ });
  });

  it("refuses a redirect from https to http", async () => {
    const plain = await start(serve(Buffer.from("data")));
    const { cert, private: key } = await generate([{ name: "commonName", value: "localhost" }], {
      extensions: [
        { name: "basicConstraints", cA: true },
        { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
      ],
    } as never);
    const server = createServer({ cert, key }, (request, response) =>
      request.url === "/data"
        ? response.setHeader("etag", '"v"').end("data")
        : response.writeHead(302, { location: `${plain.url}/a` }).end(),
    );
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const trusted = tls.getCACertificates("default");
    try {
      await assert.rejects(openContent({ url: `${url}/data` }, { algorithms: [] }), {
        code: "unavailable",
        message: /certificate/,
      });
      tls.setDefaultCACertificates([...trusted, cert]);
      assert.equal((await receive({ url: `${url}/data` })).data.toString(), "data");
      await assert.rejects(openContent({ url: `${url}/away` }, { algorithms: [] }), {
        code: "content",
        message: /redirects from https to http/,
      });
      await assert.rejects(identify({ url: `${url}/away` }), {
        code: "content",
        message: /redirects from https to http/,
      });
      assert.equal(plain.requests.length, 0);
    } finally {
      tls.setDefaultCACertificates(trusted);
      server.closeAllConnections();
      server.close();
    }
  });

  it("lets its connection go on close and on abort", async () => {
    let open = 0;
    const { url, server } = await start((_, response) => response.writeHead(200).write("data"));
    server.on("connection", socket => {
      open++;
      socket.on("close", () => open--);
    });
    const controller = new AbortController();
    for (const end of [(close: () => void) => close(), () => controller.abort()]) {
      // With only a few bytes so far it still waits for its beginning.
      const opening = openContent({ url: `${url}/a` }, { algorithms: [], signal: controller.signal });
      const settledFirst = await Promise.race([opening, new Promise(resolve => setTimeout(resolve, 300, "waiting"))]);
      assert.equal(settledFirst, "waiting");
      assert.equal(open, 1);
      end(() => controller.abort());
      await assert.rejects(opening, { code: "interrupted" });
      while (open > 0) await new Promise(resolve => setTimeout(resolve, 5));
      break;
    }
    const slow = await start((_, response) => {
      response.write(Buffer.alloc(3_000_000));
    });
    let connections = 0;
    slow.server.on("connection", socket => {
      connections++;
      socket.on("close", () => connections--);
    });
    const content = await openContent({ url: `${slow.url}/a` }, { algorithms: ["md5"] });
    content.stream.on("error", () => {});
    content.close();
    await assert.rejects(content.finished, { code: "interrupted" });
    while (connections > 0) await new Promise(resolve => setTimeout(resolve, 5));
  });
});
