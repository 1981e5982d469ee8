import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../tools/command.ts";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { pulumiEnvironment } from "../../tools/pulumi/environment.ts";
import { Stack } from "../engine/stack.ts";
import { exampleFolder, disk as rawFile } from "../examples/example.ts";
import { connectionOf, emptyCloudOf, environmentOf, type TestCloud } from "../openstack/clouds.ts";
import { qcow2, sha256 } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { allPages, blocksOf, root } from "./pages.ts";

/** The programs on all pages that make images. */
async function programs(): Promise<string[]> {
  const blocks = (await allPages()).flatMap(blocksOf);
  return blocks
    .filter(({ language, text }) => language === "ts" && text.includes("new Image("))
    .map(({ text }) => text);
}

describe("Programs in the documentation", () => {
  const disk = qcow2("documentation");
  let folder: string;
  let cloud: TestCloud;
  let publisher: FileServer;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-images-documented-"));
    cloud = await emptyCloudOf("local");
    publisher = await startFileServer();
  });
  after(async () => {
    await publisher.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the programs name: files beside them, files on the internet, and an image that is there. */
  async function surroundings(): Promise<void> {
    await mkdir(join(folder, "build"));
    await writeFile(join(folder, "build", "disk.qcow2"), disk);
    for (const name of ["disk", "debian", "huge"]) await cp(rawFile, join(folder, `${name}.raw`));
    const packed = execFileSync("python3", [
      ...["-c", "import lzma, sys; sys.stdout.buffer.write(lzma.compress(open(sys.argv[1], 'rb').read()))"],
      join(folder, "build", "disk.qcow2"),
    ]);
    const sums = (file: string, body: Uint8Array) => ({ body: Buffer.from(`${sha256(body)}  ${file}\n`) });
    const ubuntu = "noble-server-cloudimg-amd64.img";
    for (const [path, served] of Object.entries({
      [`/noble/current/${ubuntu}`]: { body: disk },
      "/noble/current/SHA256SUMS": sums(ubuntu, disk),
      "/disk.qcow2": { body: disk },
      "/disk.qcow2.xz": { body: packed },
      "/SHA256SUMS": sums("disk.qcow2.xz", packed),
      "/private.qcow2": { body: disk, needs: { authorization: "Bearer secret" } },
    }))
      publisher.files.set(path, { headers: { etag: `"${sha256(served.body)}"` }, ...served });
    const owner = await cloud.as("owner");
    await owner.create({ name: "golden", disk_format: "raw", container_format: "bare" }, disk);
  }

  it("make what they declare by one up, and right after it a preview has nothing to do", async () => {
    await surroundings();
    const member = cloud.accounts.consumer.projectId;
    const texts = (await programs()).filter(text => !text.includes("LocalWorkspace"));
    assert.ok(texts.length >= 6, "they are there");
    for (const [index, text] of texts.entries()) {
      const here = text
        .replaceAll(/https:\/\/(cloud-images\.ubuntu\.com|example\.org)/g, publisher.url)
        .replaceAll("0a1b2c3d4e5f60718293a4b5c6d7e8f9", member);
      await writeFile(join(folder, `program${index}.ts`), here);
    }
    await writeFile(join(folder, "index.ts"), texts.map((_, index) => `import "./program${index}";\n`).join(""));
    const quickstart = exampleFolder("quickstart");
    for (const file of ["package.json", "tsconfig.json"]) await cp(join(quickstart, file), join(folder, file));
    await writeFile(join(folder, "Pulumi.yaml"), "name: documented\nruntime: nodejs\nmain: index.ts\n");
    const { accounts, regions } = cloud;
    const stack = await Stack.create({
      program: folder,
      env: environmentOf(cloud, accounts.owner),
      config: {
        "images:connections": {
          lab: connectionOf(cloud, accounts.owner),
          "team-b": connectionOf(cloud, accounts.consumer),
          "dr-site": connectionOf(cloud, accounts.owner, regions[1]?.name),
        },
      },
    });
    try {
      const made = await stack.up();
      assert.ok(Object.keys(made.steps).length >= 13, JSON.stringify(made.steps));
      for (const flags of [[], ["--refresh"]]) {
        const quiet = await stack.preview(undefined, "--expect-no-changes", ...flags);
        assert.equal(quiet.code, 0, quiet.text);
      }
      const dr = (await stack.state()).dr?.id as string;
      assert.deepEqual((await (await cloud.as("owner", 1)).image(dr)).tags, ["2026-11"]);
    } finally {
      await stack.dispose();
    }
  });

  it("of the Automation API run wherever Node was started", async () => {
    const [program, ...more] = (await programs()).filter(text => text.includes("LocalWorkspace"));
    assert.ok(program !== undefined && more.length === 0);
    const project = join(folder, "automation");
    await mkdir(join(project, "state"), { recursive: true });
    await writeFile(join(project, "deploy.mts"), program);
    await cp(rawFile, join(project, "disk.raw"));
    await symlink(join(root, "node_modules"), join(project, "node_modules"));
    const env = {
      ...pulumiEnvironment(await pulumiCli(), { backend: join(project, "state") }),
      ...environmentOf(cloud, cloud.accounts.owner),
    };
    const run = () => runCommand(process.execPath, [join(project, "deploy.mts")], { cwd: tmpdir(), env });
    const [first, second] = [await run(), await run()];
    assert.match(first, /^\{ create: 2 \} [\w-]{36}$/m);
    assert.match(second, /^\{ same: 2 \} [\w-]{36}$/m);
  });
});
