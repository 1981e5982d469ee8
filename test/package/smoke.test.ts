import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { executableName } from "../../tools/command.ts";
import { type NodeVersion, nodeFolder, nodeVersions } from "../../tools/node.ts";
import { cloudsYaml } from "../../tools/openstack/cloudsYaml.ts";
import { pulumiCli } from "../../tools/pulumi/cli.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { asUsers, type Declared, Stack } from "../engine/stack.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise, sha256 } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { install, pack } from "./installed.ts";
import { root } from "./shipped.ts";

const run = promisify(execFile);

/** All of them with IMAGES_TEST_NODES=all (npm run smoke), else the one that is most easily forgotten. */
const tried =
  process.env.IMAGES_TEST_NODES === "all" ? (Object.keys(nodeVersions) as NodeVersion[]) : (["minimum"] as const);

/** A user that the system doesn't know. */
const uid = 54_321;

interface Where {
  node: string;
  /** What commands are run by: those that start the Pulumi CLI, and those that don't. */
  through?: string[];
  alone?: string[];
  /** The one folder that can be written. */
  place?: string;
}

/** What this package's user does, from an installed package, where the tests' own Node.js and user aren't. */
describe("The installed package, from up to destroy,", () => {
  const disk = noise("smoke", 100_000);
  let dir: string;
  let cloud: LocalCloud;
  let publisher: FileServer;
  let api: ImageApi;

  before(async function () {
    this.timeout(300_000);
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-smoke-"));
    await chmod(dir, 0o755);
    [cloud, publisher] = await Promise.all([
      startCloud({ dir: join(dir, "cloud"), services: ["openstack"] }),
      startFileServer(),
      pack(dir).then(({ tarball }) => install(tarball, dir)),
    ]);
    publisher.files.set("/disk.raw", { body: disk, headers: { etag: '"1"' }, needs: { "X-Pass": "open-up" } });
    await otherCopyOfGrpc(join(dir, "node_modules", "@grpc", "grpc-js"));
    const { openstack, services } = cloud;
    api = await ImageApi.signIn(openstack.authUrl, openstack.accounts.owner, services.openstack.imageServers[0] ?? "");
  });
  after(async () => {
    await publisher?.stop();
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** As an older one in a program's lock file would lie there: another copy than the SDK's. */
  async function otherCopyOfGrpc(place: string): Promise<void> {
    await cp(join(root, "node_modules", "@grpc", "grpc-js"), place, { recursive: true });
    await symlink(join(root, "node_modules", "@grpc", "proto-loader"), join(dirname(place), "proto-loader"));
    await mkdir(join(dir, "node_modules", "@js-sdsl"));
    await symlink(
      join(root, "node_modules", "@js-sdsl", "ordered-map"),
      join(dir, "node_modules", "@js-sdsl", "ordered-map"),
    );
  }

  for (const which of tried) {
    const version = nodeVersions[which];
    it(`works on the ${which} Node.js, ${version}`, async function () {
      const folder = await nodeFolder(version).catch((error: Error) => {
        if (this.test) this.test.title += `: not tried, ${error.message.split("\n")[0]}`;
        return this.skip();
      });
      await live({ node: join(folder, executableName("node")) });
    }).timeout(300_000);
  }

  it("works as a user without HOME and without a name, on a read-only system", async function () {
    const place = await mkdtemp(join(tmpdir(), "images-smoke-uid-"));
    const alone = throughReadOnly(place, "HOME", "USER");
    const [command = "", ...args] = [...alone, process.execPath, "--version"];
    const reason = await run(command, args).then(
      () => undefined,
      (error: Error) => error.message.split("\n").at(-2),
    );
    if (reason !== undefined) {
      if (this.test) this.test.title += `: not tried, ${reason}`;
      this.skip();
    }
    // As containers have them; the CLI needs both.
    const through = [...throughReadOnly(place), "env", "HOME=/", "USER=somebody"];
    await live({ node: process.execPath, through, alone, place });
  }).timeout(300_000);

  /**
   * A command that runs its arguments as that user, in a system whose files are all read-only but those of one folder, and without some variables.
   * Source: unshare(1), mount(8), setpriv(1).
   */
  function throughReadOnly(place: string, ...without: string[]): string[] {
    const script = [
      "set -e",
      `chown -hR ${uid}:${uid} ${place}`,
      "mount --make-rprivate /",
      `mount --bind ${place} ${place}`,
      "mount -o remount,ro,bind /",
      'cd "$PWD"',
      `exec setpriv --reuid ${uid} --regid ${uid} --clear-groups -- env ${without.map(name => `-u ${name}`).join(" ")} "$@"`,
    ];
    return ["unshare", "--mount", "sh", "-c", script.join("\n"), "sh"];
  }

  /** One life of a stack. */
  async function live({ node, through = [], alone = [], place }: Where): Promise<void> {
    const env = await environment(node, place);
    const stack = await Stack.create({
      project: "smoke",
      env,
      ownProcess: true,
      through,
      ...(place ? { within: place } : {}),
    });
    try {
      await rm(join(stack.folder, "node_modules"));
      await symlink(join(dir, "node_modules"), join(stack.folder, "node_modules"));
      await writeFile(join(stack.folder, "disk.raw"), disk);
      await writeFile(join(stack.folder, "clouds.yaml"), cloudsYaml(cloud.openstack), { mode: 0o644 });
      const main = join(dir, "node_modules", "pulumi-images", "dist", "cli", "main.js");
      const images = (by: string[], ...args: string[]) => {
        const [command = "", ...rest] = [...by, node, main, ...args];
        return run(command, rest, { cwd: stack.folder, env: stack.env }).catch(
          (error: { stdout: string; stderr: string }) => error,
        );
      };

      const made = await stack.up(program("first"));
      assert.deepEqual(made.steps, { file: "create", url: "create" });
      assert.match(made.text, /clouds\.yaml holds a secret and others can read it/, "a warning comes to the engine");
      assert.doesNotMatch(made.text, /ExperimentalWarning|DeprecationWarning/);
      assert.deepEqual((await stack.up(program("second"))).steps, { file: "update", url: "same" });

      const id = (await stack.state()).file?.id as string;
      await api.set(id, { name: "drifted" });
      const drift = await images(through, "drift", "--stack", stack.name);
      assert.match(drift.stdout, /name\s.*second.*drifted/, drift.stderr);
      const list = await images(alone, "list", "--json", "--filter", "name=drifted");
      assert.equal((JSON.parse(list.stdout) as { id: string }[])[0]?.id, id, list.stderr);
      const download = await images(alone, "download", id, "came.raw");
      assert.equal(sha256(await readFile(join(stack.folder, "came.raw"))), sha256(disk), download.stderr);

      await stack.destroy();
      assert.equal(await api.exists(id), false);
    } finally {
      await stack.dispose();
    }
  }

  async function environment(node: string, place: string | undefined): Promise<NodeJS.ProcessEnv> {
    const { folder } = await pulumiCli();
    const env = { ...asUsers, OS_CLOUD: "owner", PATH: [folder, dirname(node), process.env.PATH].join(delimiter) };
    if (place === undefined) return env;
    // The tests' own folder for temporary files is this user's; on the way to the place, it has to be passed.
    const { mode } = await stat(tmpdir());
    await chmod(tmpdir(), mode | 0o011);
    return { ...env, TMPDIR: place, PULUMI_HOME: join(place, "pulumi-home"), XDG_CACHE_HOME: "" };
  }

  function program(name: string): Declared[] {
    const common = { service: "openstack", diskFormat: "raw", containerFormat: "bare" };
    const url = `${publisher.url}/disk.raw`;
    return [
      { kind: "Image", name: "file", args: { ...common, name, source: { file: "disk.raw" } } },
      {
        kind: "Image",
        name: "url",
        args: { ...common, name: "url", source: { url, headers: { "X-Pass": "open-up" } } },
      },
    ];
  }
});
