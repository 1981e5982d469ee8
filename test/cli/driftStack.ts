import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { type Declared, Stack } from "../engine/stack.ts";
import { connectionOf } from "../openstack/clouds.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type CommandRun, pulumiImages } from "./command.ts";

/** Everything that a format could take for a sign of its own. */
export const hostile =
  "a|b \"c\" 'd' `e` <script>alert(1)</script> --> ]]> &amp; @all #1 https://x.example _i_ *b* \u202e$(id)";

/** What nobody may find in any output. */
export const planted = {
  before: "planted-secret-before-1",
  after: "planted-secret-after-2",
  outside: "planted-secret-outside-3",
};

/** A stack of images on two connections of the local cloud, with some of every drift and of every change of the program. */
export class DriftStack {
  readonly stack: Stack;
  readonly cloud: LocalCloud;
  readonly #dir: string;
  /** Who works on `lab` behind Pulumi's back. */
  readonly api: ImageApi;

  private constructor(stack: Stack, cloud: LocalCloud, dir: string, api: ImageApi) {
    this.stack = stack;
    this.cloud = cloud;
    this.#dir = dir;
    this.api = api;
  }

  static async start(project: string, name = "dev"): Promise<DriftStack> {
    const dir = await mkdtemp(join(tmpdir(), "pulumi-images-drift-"));
    const cloud = await startCloud({ dir, services: ["openstack"] });
    const { openstack } = cloud;
    const connections = {
      lab: connectionOf(openstack, openstack.accounts.owner),
      partner: connectionOf(openstack, openstack.accounts.consumer),
    };
    const stack = await Stack.create({ project, stack: name, config: { "images:connections": connections } });
    await writeFile(join(stack.folder, "disk.raw"), noise("disk", 20_000));
    await writeFile(join(stack.folder, "built.raw"), noise("built", 20_000));
    const [imageUrl = ""] = cloud.services.openstack.imageServers;
    const api = await ImageApi.signIn(openstack.authUrl, openstack.accounts.owner, imageUrl);
    return new DriftStack(stack, cloud, dir, api);
  }

  async stop(): Promise<void> {
    await this.stack.dispose();
    await this.cloud.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Runs `pulumi-images drift` on the stack, as in a terminal in its folder. */
  drift(...args: string[]): Promise<CommandRun> {
    return pulumiImages(["drift", "--stack", this.stack.name, ...args], {
      cwd: this.stack.folder,
      env: this.stack.env,
    });
  }

  /** All files of the state, as they are. */
  async stateFiles(): Promise<Record<string, string>> {
    const state = join(this.stack.folder, "state");
    const files = (await readdir(state, { recursive: true, withFileTypes: true })).filter(file => file.isFile());
    const paths = files.map(file => join(file.parentPath, file.name)).sort();
    return Object.fromEntries(await Promise.all(paths.map(async path => [path, await readFile(path, "base64")])));
  }

  /** An image on the connection `lab`, with data. */
  image(name: string, args: object = {}): Declared {
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
    return { kind: "Image", name, args: { service: "openstack", connection: "lab", name, ...data, ...args } };
  }

  program(): Declared[] {
    const member = (name: string) =>
      this.cloud.openstack.accounts[name === "consumer" ? "consumer" : "admin"].projectId;
    const image = (name: string, args: object = {}, options: Record<string, unknown> = {}): Declared => {
      const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
      return {
        kind: "Image",
        name,
        args: { service: "openstack", connection: "lab", name, ...data, ...args },
        options,
      };
    };
    const part = (kind: Declared["kind"], name: string, of: string, args: object): Declared => {
      const imageId = { $output: `${of}.id` };
      return { kind, name, args: { service: "openstack", connection: "lab", imageId, ...args } };
    };
    return [
      image("ubuntu", {
        name: "ubuntu-24.04",
        visibility: "shared",
        protected: true,
        tags: ["golden", "lts"],
        properties: { os_distro: "ubuntu", os_version: "24.04" },
      }),
      part("ImageMember", "ubuntu-for-partner", "ubuntu", { member: member("consumer") }),
      part("ImageCopy", "ubuntu-at-partner", "ubuntu", { to: { connection: "partner" } }),
      image("debian-13", { tags: ["golden"] }),
      image("fedora-43"),
      part("ImageTag", "fedora-release", "fedora-43", { tag: "release" }),
      part("ImageCopy", "fedora-at-partner", "fedora-43", { to: { connection: "partner", tags: ["mirror"] } }),
      image("rescue", { state: "active" }),
      image("built", { source: { file: "built.raw" } }),
      image("team", { visibility: "shared", members: [member("consumer")] }),
      image("alma-10", { minDisk: 1 }),
      image("retired"),
      image("windows", { properties: { $secret: { admin: planted.before, os_distro: "windows" } } }),
      image("appliance", { properties: { $secret: { admin: planted.before } } }),
      image(`hostile ${hostile}`, { name: "hostile", properties: { note: "harmless" } }),
      image("rocky-10", { tags: ["golden"] }),
    ];
  }

  /** What the program says later: one image changed, one new, one no longer there, and another secret. */
  changedProgram(): Declared[] {
    const before = this.program().filter(({ name }) => name !== "retired");
    const changed = before.map((resource): Declared => {
      if (resource.name === "alma-10") return { ...resource, args: { ...resource.args, minDisk: 2 } };
      if (resource.name !== "appliance") return resource;
      return { ...resource, args: { ...resource.args, properties: { $secret: { admin: planted.after } } } };
    });
    const [rocky] = before.slice(-1);
    return [...changed, { ...(rocky as Declared), name: "rocky-11", args: { ...rocky?.args, name: "rocky-11" } }];
  }

  /** What others do behind Pulumi's back: some of every class. */
  async interfere(): Promise<void> {
    const state = await this.stack.state();
    const id = (name: string): string => String(state[name]?.id);
    const { api } = this;
    const { accounts } = this.cloud.openstack;
    await api.set(id("ubuntu"), { protected: false, tags: ["lts", "tested"], os_version: "22.04" });
    await api.send("DELETE", `/v2/images/${id("ubuntu")}/members/${accounts.consumer.projectId}`);
    await api.set(id("ubuntu"), { visibility: "community" });
    const partner = await ImageApi.signIn(
      this.cloud.openstack.authUrl,
      accounts.consumer,
      this.cloud.services.openstack.imageServers[0] as string,
    );
    await partner.delete(String(state["ubuntu-at-partner"]?.outputs.copyId));
    await partner.set(String(state["fedora-at-partner"]?.outputs.copyId), { tags: [] });
    await api.delete(id("debian-13"));
    await api.send("DELETE", `/v2/images/${id("fedora-43")}/tags/release`);
    await api.deactivate(id("rescue"));
    await writeFile(join(this.stack.folder, "built.raw"), noise("rebuilt", 20_000));
    await api.send("POST", `/v2/images/${id("team")}/members`, { body: { member: accounts.admin.projectId } });
    await api.set(id("windows"), { admin: planted.outside });
    // A password of a connection, which somebody left where everybody can read it.
    await api.set(id(`hostile ${hostile}`), { note: `${hostile} ${accounts.owner.password}\nsecond line` });
  }
}
