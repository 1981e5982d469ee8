import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type RealOpenStackCloud, startOpenStack } from "../../tools/openstack/start.ts";
import type { Account } from "../cloud/openStackCloud.ts";

interface Image {
  id: string;
  status: string;
  stores?: string;
  os_hash_value?: string;
  os_glance_import_task?: string;
}

describe("real OpenStack", function () {
  // The first time on a machine, everything is installed.
  this.timeout(600_000);

  let dir: string;
  let cloud: RealOpenStackCloud;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-openstack-"));
    cloud = await startOpenStack({ dir, regions: 2 });
  });

  after(async () => {
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function tokenOf(account: Account, by: "password" | "application credential" = "password"): Promise<Response> {
    const { username, password, userDomain, projectId, applicationCredential } = account;
    const identity =
      by === "password"
        ? { methods: ["password"], password: { user: { name: username, password, domain: { name: userDomain } } } }
        : { methods: ["application_credential"], application_credential: applicationCredential };
    const scope = by === "password" ? { scope: { project: { id: projectId } } } : {};
    return fetch(`${cloud.authUrl}/auth/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ auth: { identity, ...scope } }),
    });
  }

  /** The Image API of a region as one account sees it. */
  async function imageApi(account: Account, region = 0) {
    const token = (await tokenOf(account)).headers.get("x-subject-token") ?? "";
    const send = async (method: string, path: string, body?: unknown, type = "application/json") =>
      fetch(`${cloud.regions[region]?.imageUrl}/v2${path}`, {
        method,
        headers: {
          "x-auth-token": token,
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": type }),
        },
        ...(body === undefined ? {} : { body: body instanceof Buffer ? new Uint8Array(body) : JSON.stringify(body) }),
      });
    const get = async (id: string): Promise<Image> => (await (await send("GET", `/images/${id}`)).json()) as Image;
    const create = async (): Promise<Image> => {
      const wanted = { name: "test", disk_format: "raw", container_format: "bare", visibility: "shared" };
      return (await (await send("POST", "/images", wanted)).json()) as Image;
    };
    const upload = async (data: Buffer): Promise<Image> => {
      const { id } = await create();
      const answer = await send("PUT", `/images/${id}/file`, data, "application/octet-stream");
      assert.equal(answer.status, 204);
      return get(id);
    };
    const imported = async (id: string): Promise<Image> => {
      for (;;) {
        const image = await get(id);
        if (image.status === "active" && image.os_glance_import_task === undefined) return image;
        const { tasks } = (await (await send("GET", `/images/${id}/tasks`)).json()) as { tasks: { status: string }[] };
        assert.ok(!tasks.some(task => task.status === "failure"), JSON.stringify(tasks));
        await sleep(50);
      }
    };
    return { send, get, create, upload, imported };
  }

  it("signs in by password and by application credential, with the image service in the catalogue of each region", async () => {
    for (const account of Object.values(cloud.accounts)) {
      for (const by of ["password", "application credential"] as const) {
        const answer = await tokenOf(account, by);
        assert.equal(answer.status, 201);
        const { token } = (await answer.json()) as {
          token: {
            project: { id: string };
            roles: { name: string }[];
            catalog: { type: string; endpoints: { interface: string; region_id: string; url: string }[] }[];
          };
        };
        assert.equal(token.project.id, account.projectId);
        assert.equal(
          token.roles.some(role => role.name === "admin"),
          account === cloud.accounts.admin,
        );
        const endpoints = token.catalog.find(service => service.type === "image")?.endpoints ?? [];
        const open = endpoints.filter(endpoint => endpoint.interface === "public");
        assert.deepEqual(
          open
            .map(endpoint => ({ name: endpoint.region_id, imageUrl: endpoint.url }))
            .sort((a, b) => a.name.localeCompare(b.name)),
          cloud.regions,
        );
      }
    }
  });

  it("keeps data, and shows a shared image to a member only", async () => {
    const owner = await imageApi(cloud.accounts.owner);
    const consumer = await imageApi(cloud.accounts.consumer);
    const data = randomBytes(1024 * 1024);
    const image = await owner.upload(data);
    assert.equal(image.status, "active");
    assert.equal(image.os_hash_value, createHash("sha512").update(data).digest("hex"));
    assert.equal((await consumer.send("GET", `/images/${image.id}`)).status, 404);
    const member = { member: cloud.accounts.consumer.projectId };
    assert.equal((await owner.send("POST", `/images/${image.id}/members`, member)).status, 200);
    assert.equal((await consumer.send("GET", `/images/${image.id}`)).status, 200);
  });

  it("lets an owner copy data to the other store", async () => {
    const owner = await imageApi(cloud.accounts.owner);
    const { id } = await owner.upload(randomBytes(1000));
    const copy = { method: { name: "copy-image" }, stores: ["slow"], all_stores_must_succeed: true };
    assert.equal((await owner.send("POST", `/images/${id}/import`, copy)).status, 202);
    assert.deepEqual((await owner.imported(id)).stores?.split(","), cloud.stores);
  });

  it("copies between regions by glance-download", async () => {
    const one = await imageApi(cloud.accounts.owner, 0);
    const two = await imageApi(cloud.accounts.owner, 1);
    const source = await one.upload(randomBytes(1000));
    const { id } = await two.create();
    const method = {
      name: "glance-download",
      glance_image_id: source.id,
      glance_region: "RegionOne",
      glance_service_interface: "public",
    };
    assert.equal((await two.send("POST", `/images/${id}/import`, { method })).status, 202);
    assert.equal((await two.imported(id)).os_hash_value, source.os_hash_value);
  });

  describe("web-download", () => {
    let source: Server;

    before(async () => {
      source = createServer((_request, response) => response.end("some image data"));
      source.listen(0, "127.0.0.1");
      await once(source, "listening");
    });

    after(() => source.close());

    const from = (uri: string) => ({ method: { name: "web-download", uri } });

    it("fetches from loopback at any port", async () => {
      const owner = await imageApi(cloud.accounts.owner);
      const { id } = await owner.create();
      const uri = `http://127.0.0.1:${(source.address() as AddressInfo).port}/image`;
      assert.equal((await owner.send("POST", `/images/${id}/import`, from(uri))).status, 202);
      assert.equal(
        (await owner.imported(id)).os_hash_value,
        createHash("sha512").update("some image data").digest("hex"),
      );
    });

    for (const uri of ["http://169.254.169.254/", "http://127.0.0.1:22/", "http://localhost/", "ftp://127.0.0.1/"]) {
      it(`refuses ${uri}`, async () => {
        const owner = await imageApi(cloud.accounts.owner);
        const { id } = await owner.create();
        assert.equal((await owner.send("POST", `/images/${id}/import`, from(uri))).status, 400);
      });
    }
  });

  it("takes many writers at a time", async () => {
    const owner = await imageApi(cloud.accounts.owner);
    const images = await Promise.all(Array.from({ length: 48 }, () => owner.create()));
    assert.equal(new Set(images.map(image => image.id)).size, 48);
    assert.ok(images.every(image => image.status === "queued"));
  });

  it("goes on where it was when it is started again, as told", async () => {
    const { id, os_hash_value } = await (await imageApi(cloud.accounts.owner)).upload(randomBytes(1000));
    await cloud.stop();
    cloud = await startOpenStack({ dir, copyImagePolicy: "admin", imageEndpoints: ["http://127.0.0.1:9"] });
    assert.deepEqual(cloud.regions, [{ name: "RegionOne", imageUrl: "http://127.0.0.1:9" }]);
    cloud.regions = [{ name: "RegionOne", imageUrl: cloud.imageServers[0] ?? "" }];
    const owner = await imageApi(cloud.accounts.owner);
    assert.equal((await owner.get(id)).os_hash_value, os_hash_value);
    const copy = { method: { name: "copy-image" }, stores: ["slow"] };
    assert.equal((await owner.send("POST", `/images/${id}/import`, copy)).status, 403);
  });

  it("ends with the process that started it, even when that is killed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "pulumi-images-openstack-"));
    const program = `
      import { startOpenStack } from ${JSON.stringify(join(import.meta.dirname, "../../tools/openstack/start.ts"))};
      console.log((await startOpenStack({ dir: ${JSON.stringify(folder)} })).authUrl);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [authUrl] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    assert.equal((await fetch(authUrl)).status, 200);
    child.kill("SIGKILL");
    await once(child, "exit");
    const answers = (): Promise<boolean> =>
      fetch(authUrl).then(
        () => true,
        () => false,
      );
    while (await answers()) await sleep(20);
    // The database leaves its lock file until it has ended.
    const running = join(folder, "pg", "postmaster.pid");
    while (
      await access(running).then(
        () => true,
        () => false,
      )
    )
      await sleep(20);
    await rm(folder, { recursive: true });
  });
});
