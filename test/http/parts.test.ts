import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { openContent, openStream } from "../../provider/content/index.ts";
import { giveBack, partSize, sharePart, takePart } from "../../provider/content/parts.ts";
import { noise } from "../support/disk.ts";
import { answer, clientOf, serve } from "./server.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Some of every reader's pauses are long enough for everything behind it to fill up. */
async function slowly(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) {
    parts.push(part as Buffer);
    if (parts.length % 7 === 0) await pause(parts.length % 3);
  }
  return Buffer.concat(parts);
}

describe("parts of memory", () => {
  it("are taken again when they were given back, and by one at a time", () => {
    const one = takePart();
    giveBack(one);
    giveBack(one);
    const [again, other] = [takePart(), takePart()];
    assert.equal(again.buffer, one.buffer);
    assert.notEqual(other.buffer, one.buffer);
  });

  it("are taken again when all who share them have given them back", () => {
    const one = takePart();
    assert.ok(sharePart(one));
    giveBack(one);
    assert.notEqual(takePart().buffer, one.buffer);
    giveBack(one);
    assert.equal(takePart().buffer, one.buffer);
    assert.equal(sharePart(Buffer.alloc(partSize)), false);
  });

  it("are only taken whole: who has given a piece of one back may still be using the rest", () => {
    const one = takePart();
    giveBack(one.subarray(0, partSize / 2));
    giveBack(one.subarray(partSize / 2));
    assert.notEqual(takePart().buffer, one.buffer);
  });

  it("are no others' memory", () => {
    const foreign = Buffer.alloc(partSize);
    giveBack(foreign);
    assert.notEqual(takePart().buffer, foreign.buffer);
  });

  for (const tls of [false, true]) {
    it(`never mix data: uploads, downloads and copies at once over ${tls ? "https" : "http"}, some begun again`, async function () {
      this.timeout(60_000);
      const dir = await mkdtemp(join(tmpdir(), "pulumi-images-parts-"));
      const data = Array.from({ length: 8 }, (_, index) => noise(`parts ${index}`, 9 * partSize + index * 4099));
      const arrived = new Map<string, string>();
      const refused = new Set<string>();
      const server = await serve(
        async (request, response) => {
          const path = request.url as string;
          const index = Number(path.split("/").at(-1));
          if (request.method === "GET") {
            response.end(data[index]);
            return;
          }
          // Each second one is refused at first, in the middle.
          if (index % 2 === 1 && !refused.has(path)) {
            refused.add(path);
            request.once("data", () => answer(response, 503, {}, { connection: "close" }));
            return;
          }
          arrived.set(path, sha256(await slowly(request)));
          answer(response, 200, {});
        },
        { tls },
      );
      try {
        const client = clientOf(server.url, tls ? { caFile: server.caFile } : {});
        const put = (path: string, body: () => ReturnType<typeof openContent>) =>
          client.send({ method: "PUT", path, repeatable: true, body });
        const work = data.flatMap((bytes, index) => {
          const file = join(dir, `${index}.raw`);
          return [
            writeFile(file, bytes).then(() =>
              put(`/file/${index}`, () => openContent({ file }, { algorithms: ["md5"] })),
            ),
            put(`/copy/${index}`, () =>
              openStream(
                {
                  name: "the copy",
                  digest: `sha256:${sha256(bytes)}`,
                  async open() {
                    const { stream } = await client.download({ method: "GET", path: `/${index}` });
                    return { size: bytes.length, read: () => stream, close: () => void stream.destroy() };
                  },
                },
                { algorithms: [] },
              ),
            ),
            client.download({ method: "GET", path: `/${index}` }).then(async ({ stream }) => {
              const came = createHash("sha256");
              for await (const part of stream as AsyncIterable<Buffer>) {
                came.update(part);
                if (index % 3 === 0) await pause(1);
                giveBack(part);
              }
              assert.equal(came.digest("hex"), sha256(bytes));
            }),
          ];
        });
        await Promise.all(work);
        for (const [index, bytes] of data.entries())
          for (const what of ["file", "copy"]) assert.equal(arrived.get(`/${what}/${index}`), sha256(bytes), what);
        assert.equal(refused.size, data.length);
      } finally {
        await server.close();
        await rm(dir, { recursive: true });
      }
    });
  }
});
