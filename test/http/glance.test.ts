import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { resolveConnection } from "../../provider/connection.ts";
import { createHttp, type Http, type ServiceRequest } from "../../provider/http.ts";
import { openSession } from "../../provider/keystone.ts";
import { startCloud } from "../cloud/cloud.ts";
import type { OpenStackCloud } from "../cloud/openStackCloud.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";

const MiB = 1024 * 1024;

/** A client of the image service, connected as a provider is. */
function imagesOf(cloud: OpenStackCloud, imageEndpoint?: string): Http {
  const entry = { ...connectionOf(cloud, cloud.accounts.owner), imageEndpoint };
  const config = { get: (key: string) => (key === "images:connections" ? JSON.stringify({ lab: entry }) : undefined) };
  const session = openSession(resolveConnection("openstack", "lab", config, { HOME: "/nowhere" }));
  return createHttp({
    service: "openstack",
    baseUrl: () => session.endpoint("image"),
    authorize: async renew => ({ "X-Auth-Token": await session.token(renew) }),
  });
}

async function image(images: Http, format: string): Promise<string> {
  const id = randomUUID();
  const json = { id, name: "http", disk_format: format, container_format: "bare" };
  await images.send({ method: "POST", path: "/v2/images", json });
  return id;
}

function file(id: string, data: Buffer): ServiceRequest {
  return {
    method: "PUT",
    path: `/v2/images/${id}/file`,
    body: async () => ({ stream: Readable.from(parts(data), { objectMode: false }), size: data.length }),
  };
}

function* parts(data: Buffer): Generator<Buffer> {
  for (let at = 0; at < data.length; at += 256 * 1024) yield data.subarray(at, at + 256 * 1024);
}

onEachCloud("an upload to Glance", cloud => {
  it("is taken, and what is refused early gives the service's answer each time", async () => {
    // Without the recorder, which is a client, too: it may lose an early answer itself.
    const images = imagesOf(cloud(), cloud().recorders[0]?.target);
    const id = await image(images, "raw");
    assert.equal((await images.send(file(id, randomBytes(5 * MiB)))).status, 204);
    const size = async () =>
      (await images.send<{ size: number }>({ method: "GET", path: `/v2/images/${id}` })).body.size;
    assert.equal(await size(), 5 * MiB);
    const large = randomBytes(48 * MiB);
    for (let round = 0; round < 5; round++) {
      await assert.rejects(images.send(file(id, large)), {
        status: 409,
        code: "conflict",
        message: /status transition/,
      });
    }
    assert.equal(await size(), 5 * MiB);
    const other = await image(images, "qcow2");
    await assert.rejects(images.send(file(other, large)), { status: 415, message: /does not match/ });
    await assert.rejects(images.send({ ...file(randomUUID(), large) }), { status: 404, code: "not-found" });
    for (const made of [id, other]) await images.send({ method: "DELETE", path: `/v2/images/${made}` });
  });

  it("comes back as it was sent", async () => {
    const images = imagesOf(cloud());
    const id = await image(images, "raw");
    const data = randomBytes(7 * MiB + 3);
    await images.send(file(id, data));
    const { stream } = await images.download({ method: "GET", path: `/v2/images/${id}/file` });
    assert.ok(Buffer.concat(await stream.toArray()).equals(data));
    await images.send({ method: "DELETE", path: `/v2/images/${id}` });
  });
});

describe("a token that ends in the middle of the work", () => {
  it("is renewed once, for requests with and without a body", async () => {
    const dir = await mkdtemp(join(tmpdir(), "images-http-"));
    const cloud = await startCloud({ dir, services: ["openstack"] });
    try {
      const images = imagesOf(cloud.openstack);
      const id = await image(images, "raw");
      cloud.advance(100 * 3600);
      assert.equal((await images.send(file(id, randomBytes(MiB)))).attempts, 2);
      cloud.advance(100 * 3600);
      assert.equal((await images.send({ method: "GET", path: `/v2/images/${id}` })).attempts, 2);
      assert.equal(cloud.requests.filter(({ path }) => path.includes("/auth/tokens")).length, 3);
    } finally {
      await cloud.stop();
      await rm(dir, { recursive: true });
    }
  });
});
