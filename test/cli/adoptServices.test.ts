import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import typescript from "typescript";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { pulumiEnvironment } from "../../tools/pulumi/environment.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { ownerConnections } from "../cloud/connections.ts";
import { client } from "../cloud/digitalocean/exercise.ts";
import { Stack } from "../engine/stack.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { GlanceV1Api } from "../support/glanceV1Api.ts";
import { type CommandRun, pulumiImages } from "./command.ts";

const services = ["openstack", "ecl", "istack", "glance-v1", "digitalocean", "divvycloud"] as const;

/** Requests that leave everything as it is, though their method may say otherwise. */
const harmless = /\/auth\/tokens$|\/v3\/?$|\/resource\/query$|\/user\/login$|\/notes\/list$/;

/** What writes an image's owner tag: a patch or put of the image, a tag of its own that is made and assigned, a note. */
const ownerTag =
  /^(PATCH \/v2\/images\/[^/]+|PUT \/v1\/images\/[^/]+|POST \/v2\/tags(\/pulumi-images:[^/]+\/resources)?|POST .*\/notes\/create)$/;

describe("adopt on every service", () => {
  let dir: string;
  let cloud: LocalCloud;
  let stack: Stack;
  const programs: string[] = [];

  /** The command as a user runs it in the project's folder: the connections come from the stack's configuration. */
  async function command(...args: string[]): Promise<CommandRun> {
    const env = pulumiEnvironment(await pulumiCli(), { backend: join(stack.folder, "state") });
    return await pulumiImages([...args, "--stack", stack.name], { cwd: stack.folder, env });
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-adopt-"));
    cloud = await startCloud({ dir, services: [...services] });
    const { openstack, ecl, istack, "glance-v1": v1, digitalocean } = cloud.services;
    const connections = ownerConnections(cloud.services);
    stack = await Stack.create({
      project: "adopt-services",
      ownProcess: true,
      config: { "images:connections": connections },
    });

    const disk = noise("adopt", 4000);
    const body = { disk_format: "raw", container_format: "bare", tags: ["b", "a"], min_disk: 3, os: "debian" };
    const apis: Record<string, ImageApi> = {
      openstack: await ImageApi.signIn(openstack.authUrl, openstack.accounts.owner, openstack.imageServers[0] ?? ""),
      ecl: await ImageApi.signIn(ecl.authUrl, ecl.accounts.owner, ecl.imageUrls.jp1),
      istack: await ImageApi.signIn(istack.authUrl, istack.accounts.owner, istack.imageUrl),
    };
    for (const [name, api] of Object.entries(apis)) {
      const image = await api.create({ name, ...body }, disk);
      if (name === "openstack") await api.deactivate(image.id);
      await api.create({ name: `${name} without data` });
    }
    const old = await GlanceV1Api.signIn(v1.authUrl, v1.accounts.owner, v1.imageUrl);
    const meta = { disk_format: "raw", container_format: "bare", min_ram: "5", is_public: "True", "property-os": "x" };
    await old.create({ name: "old", ...meta }, Uint8Array.from(disk));
    await client(digitalocean.url, digitalocean.accounts.sender.token)("POST", "/v2/images", {
      ...{ name: "droplet", url: "http://127.0.0.1:1/disk.raw", region: "nyc3", distribution: "Debian" },
      ...{ description: "two\nlines", tags: ["one"] },
    });
  });
  after(async () => {
    await stack.dispose();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  for (const service of services) {
    it(`writes a program for ${service}`, async () => {
      const { code, out, err } = await command("adopt", "--service", service);
      assert.equal(code, 0, err);
      const count = Number(/(\d+) images?$/m.exec(err)?.[1]);
      assert.ok(count >= 1, err);
      assert.equal(out.match(/^export const/gm)?.length, count);
      // Nothing that the service has couldn't be said.
      assert.doesNotMatch(err, /left out/);
      programs.push(out);
    });
  }

  it("takes everything in, writing nothing but owner tags, and then has nothing to change", async () => {
    const [first = "", ...others] = programs;
    const separate = others.map((text, index) =>
      text.replace(/^import .*\n/, "").replace(/export const (\w+)/g, `export const $1_${index}`),
    );
    const text = [first, ...separate].join("\n");
    const { outputText } = typescript.transpileModule(text, {
      compilerOptions: { module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2023 },
    });
    await writeFile(join(stack.folder, "index.cjs"), outputText);
    cloud.requests.length = 0;
    const up = await stack.up();
    assert.ok(Object.values(up.steps).every(step => step === "create"));
    const again = await stack.preview(undefined, "--refresh", "--expect-no-changes");
    assert.equal(again.code, 0, again.text);
    const writes = cloud.requests.filter(
      ({ method, path }) => method !== "GET" && method !== "HEAD" && !harmless.test(path),
    );
    const shown = writes.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`);
    assert.deepEqual(
      shown.filter(write => !ownerTag.test(write)),
      [],
    );
    const ofImages = shown.filter(write => write !== "POST /v2/tags");
    assert.equal(new Set(ofImages).size, ofImages.length, "one write an image");
  });
});
