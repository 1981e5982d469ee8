import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { pulumiEnvironment } from "../../tools/pulumi/environment.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import type { Account } from "../cloud/openStackCloud.ts";
import { Stack } from "../engine/stack.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise, qcow2 } from "../support/disk.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");
const block = /```console\n(\$ pulumi-images[\s\S]*?)```/g;

/**
 * Runs every command that the documents show, and holds its output against what they show. `UPDATE_DOCS=1` writes it into them
 * instead, for somebody to read the difference.
 */
describe("What the documents show of the command", () => {
  let dir: string;
  let bin: string;
  let cloud: LocalCloud;
  let stack: Stack;
  let env: NodeJS.ProcessEnv;
  /** What differs from run to run, and what stands for it in the documents: of the same length, as columns depend on it. */
  const stable: [RegExp, string][] = [];

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-docs-"));
    bin = await mkdtemp(join(tmpdir(), "pulumi-images-bin-"));
    cloud = await startCloud({ dir, services: ["openstack", "ecl"] });
    const { openstack, ecl } = cloud.services;
    const settings = ({ username, password, userDomain, projectName, projectDomain }: Account) => ({
      ...{ username, password, userDomainName: userDomain, projectName, projectDomainName: projectDomain },
    });
    const { owner } = openstack.accounts;
    stack = await Stack.create({ project: "docs", ownProcess: true });
    const connections = {
      lab: { service: "openstack", authUrl: openstack.authUrl, ...settings(owner), region: "RegionOne" },
      tokyo: { service: "ecl", authUrl: ecl.authUrl, ...settings(ecl.accounts.owner), region: "jp1" },
    };
    for (const [name, settings] of Object.entries(connections)) await stack.setConnection(name, settings);
    // A user's terminal knows the stack from `pulumi stack select`.
    const selected = await stack.run(["stack", "select"]);
    assert.equal(selected.code, 0, selected.text);

    const api = await ImageApi.signIn(openstack.authUrl, owner, openstack.imageServers[0] as string);
    const bare = { container_format: "bare" };
    await api.create(
      {
        ...{ id: "0d6f1f3c-7a54-4d5e-9a8e-2f1f0d6c1b2a", name: "ubuntu-24.04", disk_format: "qcow2", ...bare },
        ...{ min_disk: 10, tags: ["golden", "lts"], os_distro: "ubuntu", os_version: "24.04" },
      },
      qcow2("ubuntu"),
    );
    await api.create(
      {
        ...{ id: "5b8a3c1e-04a6-4f7e-b1cd-90b1f6a2d3e4", name: "debian-13", disk_format: "raw", ...bare },
        ...{ visibility: "private", protected: true, tags: ["golden"], os_distro: "debian" },
      },
      noise("debian", 3_500_000),
    );
    await api.create({ id: "c2f4e6a8-1b3d-4e5f-8a7b-6c5d4e3f2a1b", name: "rescue", disk_format: "iso", ...bare });

    const tokyo = await ImageApi.signIn(ecl.authUrl, ecl.accounts.owner, ecl.imageUrls.jp1);
    const source = await tokyo.create({ name: "web-base", disk_format: "qcow2", ...bare }, qcow2("web"));
    cloud.settings.ecl.copyHold = 50;
    const tenant = ecl.accounts.overseas.projectId;
    const started = await tokyo.send("POST", "/v2/extension/image_replicator/jobs", {
      body: { image_id: source.id, tenant_id_dst: tenant },
    });
    const { job_id: job } = (await started.json()) as { job_id: string };
    let copy: string | null = null;
    for (let progress = 0; progress < 50; ) {
      const answer = await tokyo.send("GET", `/v2/extension/image_replicator/jobs/${job}`);
      const seen = (await answer.json()) as { copy_progress: number; destination_image_id: string };
      progress = seen.copy_progress;
      copy = seen.destination_image_id;
    }

    const command = join(bin, "pulumi-images");
    await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${join(root, "cli", "main.ts")}" "$@"\n`, {
      mode: 0o755,
    });
    const cli = await pulumiCli();
    const own = pulumiEnvironment(cli, { backend: join(stack.folder, "state") });
    const { PATH, LANG, PULUMI_BACKEND_URL, PULUMI_HOME, PULUMI_CONFIG_PASSPHRASE, NODE_COMPILE_CACHE } = own;
    env = {
      ...{ PATH: [bin, PATH].join(delimiter), LANG, HOME: "/nonexistent", PULUMI_BACKEND_URL, PULUMI_HOME },
      ...{ PULUMI_CONFIG_PASSPHRASE, NODE_COMPILE_CACHE, JOB: job },
    };
    stable.push(
      [new RegExp(owner.projectId, "g"), "49a8c1d2e3f405162738495a6b7c8d9e"],
      [new RegExp(tenant, "g"), "7d1e5f3a9b2c4d6e8f0a1b2c3d4e5f60"],
      [new RegExp(job, "g"), "0b6d1c9e-6a0f-4b3f-8c11-2f6f0b7d9c55"],
      [new RegExp(String(copy), "g"), "e91d5b7c-3f2a-4c8d-9b6e-1a0f4d7c2b58"],
      [/127\.0\.0\.1:\d{5}/g, "127.0.0.1:35357"],
      [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "2026-11-21T08:30:00Z"],
      [/(?<=Node\.js: )[\d.]+/g, "24.21.0"],
      [/(?<=Pulumi: )\S+/g, "3.250.0"],
      [new RegExp(stack.folder, "g"), "/home/you/images"],
      // How far the service is with it is a matter of milliseconds.
      [/(?<=job \S+ is )(canceling|canceled)/g, "cancel_requested"],
    );
  });
  after(async () => {
    await stack?.dispose();
    await cloud?.stop();
    for (const folder of [dir, bin]) await rm(folder, { recursive: true, force: true });
  });

  /** A shell's line, and what it shows. */
  async function shown(line: string): Promise<string> {
    const { stdout } = await run("bash", ["-c", `{ ${line}\n} 2>&1`], { cwd: stack.folder, env }).catch(error => {
      // The exit code is shown where a line says so.
      assert.equal(typeof error.code, "number", String(error));
      return error as { stdout: string };
    });
    return stable.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), stdout);
  }

  for (const file of ["docs/cli.md", "README.md"]) {
    it(`is what ${file} says`, async function () {
      this.timeout(300_000);
      const path = join(root, file);
      const text = await readFile(path, "utf8");
      let real = "";
      let at = 0;
      for (const match of text.matchAll(block)) {
        const lines = (match[1] as string).split("\n").filter(line => line.startsWith("$ "));
        const outputs: string[] = [];
        for (const line of lines) outputs.push(`${line}\n${await shown(line.slice(2))}`);
        real += `${text.slice(at, match.index)}\`\`\`console\n${outputs.join("")}\`\`\``;
        at = match.index + match[0].length;
      }
      real += text.slice(at);
      if (process.env.UPDATE_DOCS === "1") await writeFile(path, real);
      else assert.equal(real, text);
    });
  }
});
