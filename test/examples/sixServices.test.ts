import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { ownerConnections } from "../cloud/connections.ts";
import { client } from "../cloud/digitalocean/exercise.ts";
import { type Run, Stack } from "../engine/stack.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { GlanceV1Api } from "../support/glanceV1Api.ts";
import { demandStable, disk, exampleFolder } from "./example.ts";

const serviceNames = ["openstack", "ecl", "istack", "glance-v1", "digitalocean", "divvycloud"] as const;
const wanted = "rescue-2026.11";

/** What somebody sees and does on a service who doesn't use Pulumi. */
interface Outside {
  /** The image's name, undefined where there is none. */
  nameOf(id: string): Promise<string | undefined>;
  rename(id: string, name: string): Promise<void>;
}

describe("The example six-services", () => {
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;
  let stack: Stack;
  let outside: Record<(typeof serviceNames)[number], Outside>;
  let ids: Record<string, string>;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-six-services-"));
    cloud = await startCloud({ dir, settings: { digitalocean: { taskTime: 50 }, divvycloud: { taskTime: 50 } } });
    files = await startFileServer();
    files.files.set("/rescue.raw", { body: await readFile(disk), headers: { etag: '"one"' } });
    const { services } = cloud;
    const config = {
      "images-six-services:disk": disk,
      "images-six-services:diskUrl": `${files.url}/rescue.raw`,
      "images-six-services:instance": services.divvycloud.clouds.OPENSTACK?.instance,
      "images:connections": ownerConnections(cloud.services),
    };
    stack = await Stack.create({ program: exampleFolder("six-services"), config });
    outside = {
      openstack: imageApi(
        await ImageApi.signIn(
          services.openstack.authUrl,
          services.openstack.accounts.owner,
          services.openstack.imageServers[0] as string,
        ),
      ),
      ecl: imageApi(
        await ImageApi.signIn(services.ecl.authUrl, services.ecl.accounts.owner, services.ecl.imageUrls.jp1),
      ),
      istack: imageApi(
        await ImageApi.signIn(services.istack.authUrl, services.istack.accounts.owner, services.istack.imageUrl),
      ),
      "glance-v1": await glanceV1(),
      digitalocean: digitalOcean(),
      divvycloud: divvyCloud(),
    };
  });
  after(async () => {
    await stack.dispose();
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  function imageApi(api: ImageApi): Outside {
    return {
      nameOf: async id => ((await api.exists(id)) ? (await api.image(id)).name : undefined),
      rename: (id, name) => api.set(id, { name }),
    };
  }

  async function glanceV1(): Promise<Outside> {
    const { authUrl, accounts, imageUrl } = cloud.services["glance-v1"];
    const api = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
    return {
      nameOf: async id => (await api.list()).find(image => image.id === id)?.name ?? undefined,
      rename: (id, name) => api.set(id, { name }),
    };
  }

  function digitalOcean(): Outside {
    const { url, accounts } = cloud.services.digitalocean;
    const send = client(url, accounts.sender.token);
    return {
      nameOf: async id => (await send("GET", `/v2/images/${id}`)).body.image?.name,
      rename: async (id, name) => void (await send("PUT", `/v2/images/${id}`, { name })),
    };
  }

  function divvyCloud(): Outside {
    const { url, admin, controlUrl } = cloud.services.divvycloud;
    return {
      async nameOf(id) {
        const answer = await fetch(`${url}/v2/public/resource/${id}/detail`, {
          headers: { "api-key": admin.apiKey, "content-type": "application/json" },
        });
        if (answer.status === 404) return undefined;
        return ((await answer.json()) as { details: { privateimage: { name: string } } }).details.privateimage.name;
      },
      async rename(id, name) {
        const headers = { "content-type": "application/json" };
        const answer = await fetch(`${controlUrl}/images/${id}`, {
          method: "PATCH",
          headers,
          body: JSON.stringify({ name }),
        });
        assert.ok(answer.ok, `renaming answered ${answer.status}`);
      },
    };
  }

  const namesOutside = async () => {
    const found = await Promise.all(serviceNames.map(service => outside[service].nameOf(ids[service] as string)));
    return Object.fromEntries(serviceNames.map((service, index) => [service, found[index]]));
  };
  const everywhere = <T>(value: T) => Object.fromEntries(serviceNames.map(service => [service, value]));
  const onlyImages = ({ steps }: Run) => Object.fromEntries(serviceNames.map(service => [service, steps[service]]));

  it("is applied: an image on each service", async () => {
    const run = await stack.up();
    assert.deepEqual(onlyImages(run), everywhere("create"));
    const outputs = JSON.parse((await stack.run(["stack", "output", "--json"])).text) as {
      ids: Record<string, string>;
      statuses: Record<string, string>;
    };
    ids = outputs.ids;
    assert.deepEqual(Object.keys(ids).toSorted(), serviceNames.toSorted());
    const { digitalocean, divvycloud, ...others } = outputs.statuses;
    assert.deepEqual(
      [digitalocean, divvycloud, new Set(Object.values(others))],
      ["available", "available", new Set(["active"])],
    );
    assert.deepEqual(await namesOutside(), everywhere(wanted));
  });

  it("has nothing left to do", async () => {
    await demandStable(stack);
    const run = await stack.preview(undefined, "--refresh", "--expect-no-changes");
    assert.equal(run.code, 0, run.text);
  });

  it("shows the drift on each, and repairs it", async () => {
    for (const service of serviceNames) await outside[service].rename(ids[service] as string, "drifted");
    const preview = await stack.preview(undefined, "--refresh");
    assert.deepEqual(onlyImages(preview), everywhere("update"));
    for (const service of serviceNames) assert.deepEqual(preview.diffs[service], ["name"], service);
    await stack.up(undefined, "--refresh");
    assert.deepEqual(await namesOutside(), everywhere(wanted));
  });

  it("is destroyed, and leaves nothing", async () => {
    const run = await stack.destroy();
    assert.deepEqual(onlyImages(run), everywhere("delete"));
    assert.deepEqual(await namesOutside(), everywhere(undefined));
  });
});
