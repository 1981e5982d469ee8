import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../../cloud/cloud.ts";
import { client, type Send } from "../../cloud/digitalocean/exercise.ts";
import type { DigitalOceanDescription } from "../../cloud/digitalocean/index.ts";
import { type FileServer, startFileServer } from "../../support/fileServer.ts";
import { until } from "../imageBench.ts";
import { type Declared, Stack } from "../stack.ts";
import { disk, urlDrifts } from "./data.ts";
import { type Case, describeDrifts, type Quiet } from "./drifting.ts";

const service = "digitalocean";

describe("Drift on digitalocean", () => {
  let dir: string;
  let cloud: LocalCloud;
  let place: DigitalOceanDescription;
  let files: FileServer;
  /** Somebody who works on the accounts behind Pulumi's back. */
  let api: Send;
  let theirs: Send;
  let control: Send;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-drift-do-"));
    const settings = { taskTime: 50, requestsPerHour: 1e6, requestsPerMinute: 1e6 };
    cloud = await startCloud({ dir, services: [service], settings: { digitalocean: settings } });
    place = cloud.services.digitalocean;
    api = client(place.url, place.accounts.sender.token);
    theirs = client(place.url, place.accounts.recipient.token);
    control = client(place.controlUrl);
    files = await startFileServer();
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' } });
  });

  describeDrifts(service, {
    newStack: () => {
      const connection = (token: string) => ({ service, token, endpoint: place.url });
      const { sender, recipient } = place.accounts;
      const connections = { owner: connection(sender.token), recipient: connection(recipient.token) };
      return Stack.create({ project: "drift", config: { "images:connections": connections } });
    },
    cases: () => ({ ...images(), ...parts() }),
    quiet,
    writes: {
      forget: () => void cloud.requests.splice(0),
      list: () =>
        cloud.requests
          .filter(({ method, path }) => method !== "GET" && !path.startsWith("/_control"))
          .map(({ method, path }) => `${method} ${path}`),
    },
  });

  after(async () => {
    await files?.stop();
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const of =
    (kind: Declared["kind"]) =>
    (name: string, args: Record<string, unknown>): Declared => ({
      kind,
      name,
      args: { service, connection: "owner", ...args },
    });
  const image = (name: string, args: Record<string, unknown> = {}) =>
    of("Image")(name, { name, regions: ["nyc3"], source: { url: `${files.url}/disk.raw` }, ...args });

  const put = (id: string, body: Record<string, unknown>) => api("PUT", `/v2/images/${id}`, body);
  const tagged = (id: string) => ({ resources: [{ resource_id: id, resource_type: "image" }] });
  const tag = async (id: string, name: string) => {
    await api("POST", "/v2/tags", { name });
    await api("POST", `/v2/tags/${name}/resources`, tagged(id));
  };
  const untag = (id: string, name: string) => api("DELETE", `/v2/tags/${name}/resources`, tagged(id));
  const lose = (id: string, region: string) => control("DELETE", `/images/${id}/regions/${region}`);

  /** An image of somebody else's making. */
  async function existing(name: string): Promise<string> {
    const body = { name, url: `${files.url}/disk.raw`, region: "nyc3", distribution: "Debian" };
    const { id } = (await api("POST", "/v2/images", body)).body.image;
    await until(async () =>
      (await api("GET", `/v2/images/${id}`)).body.image.status === "available" ? true : undefined,
    );
    return String(id);
  }

  /** A snapshot of a droplet. */
  async function snapshot(name: string): Promise<string> {
    const { id } = (await control("POST", "/sender/droplets", { name })).body;
    await api("POST", `/v2/droplets/${id}/actions`, { type: "snapshot", name });
    return await until(async () => {
      const [made] = (await api("GET", `/v2/droplets/${id}/snapshots`)).body.snapshots;
      return made === undefined ? undefined : String(made.id);
    });
  }

  function images(): Record<string, Case> {
    const field = (
      args: Record<string, unknown>,
      drift: (id: string) => Promise<unknown>,
      shows: NonNullable<Case["shows"]>,
      more: Partial<Case> = {},
    ): Case => ({
      ...{ declared: name => [image(name, args)], drift: ({ id }) => drift(id), shows, means: ["metadata"] },
      ...more,
    });
    let adoptee = "";
    let remade = "";
    return {
      "Image name changed": field({}, id => put(id, { name: "drifted" }), { name: ["Image name changed", "drifted"] }),
      "Image description changed": field({ description: "mine" }, id => put(id, { description: "theirs" }), {
        description: ["mine", "theirs"],
      }),
      "Image distribution changed": field({ distribution: "Debian" }, id => put(id, { distribution: "Ubuntu" }), {
        distribution: ["Debian", "Ubuntu"],
      }),
      // Tags are written through the tags, not through the image.
      "Image tag missing": field(
        { tags: ["drift-a", "drift-b"] },
        id => untag(id, "drift-a"),
        { tags: [["drift-a", "drift-b"], ["drift-b"]] },
        { otherWrites: true },
      ),
      "Image tag added": field(
        { tags: ["drift-a"] },
        id => tag(id, "drift-z"),
        { tags: [["drift-a"], ["drift-a", "drift-z"]] },
        { otherWrites: true },
      ),
      "Image in another status": field(
        {},
        id => control("PATCH", `/images/${id}`, { status: "retired" }),
        { status: ["available", "retired"] },
        { means: ["availability"] },
      ),
      "Image lost from a region": field(
        { regions: ["nyc3", "ams3"] },
        id => lose(id, "ams3"),
        { regions: [["nyc3", "ams3"], ["nyc3"]] },
        { means: ["availability"] },
      ),
      "Image deleted": {
        declared: name => [image(name)],
        drift: ({ id }) => api("DELETE", `/v2/images/${id}`),
        means: ["availability"],
      },
      "Image deleted, and made again under the same name": {
        declared: name => [image(name)],
        async drift({ id, outputs }) {
          await api("DELETE", `/v2/images/${id}`);
          remade = await existing(String(outputs.name));
        },
        means: ["availability"],
        says: ({ id }) => new RegExp(`image ${id} is gone, and somebody made another one .*${remade}`),
        tidy: () => api("DELETE", `/v2/images/${remade}`),
      },
      "Image deleted, after it was adopted by its id": {
        prepare: async () => {
          adoptee = await existing("adoptee");
        },
        declared: name => [of("Image")(name, { adopt: { id: adoptee } })],
        drift: ({ id }) => api("DELETE", `/v2/images/${id}`),
        means: ["availability"],
        says: () => new RegExp(`there is no image with the id ${adoptee} to adopt`),
      },
      ...urlDrifts(image, files, service),
    };
  }

  function parts(): Record<string, Case> {
    const { uuid } = place.accounts.recipient;
    let given = "";
    return {
      "ImageMember given back by its recipient": {
        prepare: async () => {
          given = await snapshot("given");
        },
        declared: name => [
          of("ImageMember")(name, { imageId: given, recipientUuid: uuid, accept: { connection: "recipient" } }),
        ],
        async drift() {
          const sender = place.accounts.sender.uuid;
          const path = `/v2/images/${given}/account_transfer`;
          const { transfer_id } = (await theirs("POST", path, { recipient_uuid: sender })).body;
          await api("POST", `${path}/accept`, { transfer_id, recipient_uuid: sender });
          assert.equal((await api("GET", `/v2/images/${given}`)).status, 200, "it is back");
        },
        means: ["availability"],
        repaired: async () => assert.equal((await theirs("GET", `/v2/images/${given}`)).status, 200),
      },
      "ImageTag removed": {
        declared: name => [
          image("tagged"),
          of("ImageTag")("Left", { imageId: { $output: "tagged.id" }, tag: "Left" }),
          of("ImageTag")(name, { imageId: { $output: "tagged.id" }, tag: "gone" }),
        ],
        drift: ({ idOf }) => untag(idOf("tagged"), "gone"),
        means: ["metadata"],
      },
      "ImageCopy deleted": {
        declared: name => [
          image("to be deleted"),
          of("ImageCopy")(name, { imageId: { $output: "to be deleted.id" }, to: { regions: ["ams3"] } }),
        ],
        drift: ({ idOf }) => api("DELETE", `/v2/images/${idOf("to be deleted")}`),
        means: ["availability"],
        along: { "to be deleted": "create" },
      },
      "ImageCopy lost from a region": {
        declared: name => [
          image("copied"),
          of("ImageCopy")(name, { imageId: { $output: "copied.id" }, to: { regions: ["ams3", "fra1"] } }),
        ],
        drift: ({ idOf }) => lose(idOf("copied"), "fra1"),
        shows: { regions: [["ams3", "fra1"], ["ams3"]] },
        means: ["availability"],
      },
    };
  }

  function quiet(): Record<string, Quiet> {
    const one = (change: (id: string) => Promise<unknown>, args: Record<string, unknown> = {}): Quiet => ({
      declared: name => [image(name, args)],
      change: ({ id }) => change(id),
    });
    return {
      "a region that appears by itself": one(id => control("POST", `/images/${id}/regions`, { region: "blr1" })),
      "an undeclared description": one(id => put(id, { description: "theirs" })),
      "an undeclared tag": one(id => tag(id, "theirs")),
      "tags in another order": one(
        async id => {
          await untag(id, "quiet-a");
          await tag(id, "quiet-a");
        },
        { tags: ["quiet-b", "quiet-a"] },
      ),
    };
  }
});
