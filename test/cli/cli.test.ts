import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { dump } from "js-yaml";
import { cloudsYaml } from "../../tools/openstack/cloudsYaml.ts";
import { type Recorder, startRecorder } from "../../tools/recorder/recorder.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import type { OpenStackCloud } from "../cloud/openStackCloud.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type CommandRun, cleanEnvironment, main, pulumiImages } from "./command.ts";

describe("pulumi-images", () => {
  let dir: string;
  /** A folder with a clouds.yaml, and nothing of Pulumi. */
  let folder: string;
  let recorder: Recorder;
  let cloud: LocalCloud;
  let openstack: OpenStackCloud;
  let api: ImageApi;
  let imageId: string;
  const disk = noise("command", 30_000_000);

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-command-"));
    folder = join(dir, "here");
    await mkdir(folder);
    recorder = await startRecorder();
    cloud = await startCloud({ dir: join(dir, "cloud"), services: ["openstack"], imageEndpoints: [recorder.url] });
    recorder.target = cloud.services.openstack.imageServers[0] as string;
    openstack = cloud.openstack;
    await writeFile(join(folder, "clouds.yaml"), cloudsYaml(openstack), { mode: 0o600 });
    api = await ImageApi.signIn(openstack.authUrl, openstack.accounts.owner, recorder.target);
    imageId = (await api.create({ name: "big", disk_format: "raw", container_format: "bare" }, disk)).id;
  });
  after(async () => {
    await recorder.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const command = (args: string[], env: NodeJS.ProcessEnv = {}, cwd = folder): Promise<CommandRun> =>
    pulumiImages(args, { cwd, env: cleanEnvironment(env) });

  it("takes the cloud that OS_CLOUD says, and else asks which one", async () => {
    const named = await command(["list"], { OS_CLOUD: "owner" });
    assert.equal(named.code, 0, named.err);
    assert.match(named.out, new RegExp(`^${imageId}  +big +active`, "m"));
    const unclear = await command(["list"]);
    assert.equal(unclear.code, 2);
    assert.match(unclear.err, /^error: there are \d+ connections: owner, .*Say which one by --connection/);
    assert.equal(unclear.out, "");
    const wrong = await command(["list", "--connection", "onwer"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /there is no connection "onwer"\. There are: owner, /);
  });

  it("works on the environment alone, and says what is missing where there is nothing", async () => {
    const { owner } = openstack.accounts;
    const env = {
      OS_AUTH_URL: openstack.authUrl,
      OS_USERNAME: owner.username,
      OS_PASSWORD: owner.password,
      OS_USER_DOMAIN_NAME: owner.userDomain,
      OS_PROJECT_NAME: owner.projectName,
      OS_PROJECT_DOMAIN_NAME: owner.projectDomain,
    };
    const listed = await command(["list", "--json"], env, dir);
    assert.equal(listed.code, 0, listed.err);
    assert.deepEqual(
      (JSON.parse(listed.out) as { id: string }[]).map(({ id }) => id),
      [imageId],
    );
    const connections = await command(["connections", "--json"], env, dir);
    const [only, ...others] = JSON.parse(connections.out) as {
      name: string;
      signsIn: boolean;
      settings: { name: string; value: string; from: string }[];
    }[];
    assert.deepEqual(others, []);
    assert.deepEqual([only?.name, only?.signsIn], ["openstack", true]);
    assert.deepEqual(
      only?.settings.find(({ name }) => name === "password"),
      { name: "password", value: "[secret]", from: "OS_PASSWORD" },
    );
    const none = await command(["list"], {}, dir);
    assert.equal(none.code, 2);
    assert.match(none.err, /there is no connection\. Configure one/);
    const openstackOnly = await command(["list", "--service", "openstack"], {}, dir);
    assert.equal(openstackOnly.code, 2);
    assert.match(openstackOnly.err, /There is no connection for openstack; looked in: .*OS_AUTH_URL/);
  });

  it("shows no secret, whatever it prints", async () => {
    const { password, applicationCredential } = openstack.accounts.owner;
    const runs = await Promise.all(
      [["connections"], ["connections", "--json"], ["connections", "--offline"], ["doctor"], ["doctor", "--json"]].map(
        args => command(args),
      ),
    );
    for (const { code, out, err } of runs) {
      assert.ok([0, 1].includes(code), err);
      assert.ok(out.length > 0);
      for (const secret of [password, applicationCredential.secret]) assert.ok(!`${out}${err}`.includes(secret));
    }
  });

  it("says of a connection that can't sign in why not", async () => {
    const clouds = {
      lab: {
        auth: { auth_url: openstack.authUrl, username: "owner", password: "wrong-password", project_name: "owner" },
      },
      half: { auth: { auth_url: openstack.authUrl } },
    };
    const place = join(dir, "broken");
    await mkdir(place);
    await writeFile(join(place, "clouds.yaml"), dump({ clouds }), { mode: 0o600 });
    const { code, out } = await command(["connections"], {}, place);
    assert.equal(code, 4);
    assert.match(out, /^lab \(openstack\): can't sign in\n {2}.*401/m);
    assert.match(out, /^half \(openstack\): can't be used\n {2}.*is missing/m);
    assert.ok(!out.includes("wrong-password"));
    const doctor = await command(["doctor"], {}, place);
    assert.equal(doctor.code, 1);
    assert.match(doctor.out, /^✗ lab \(openstack\): .*401/m);
    assert.match(doctor.out, /^✗ half \(openstack\): /m);
    const offline = await command(["connections", "--offline", "--json"], {}, place);
    assert.equal(offline.code, 4);
    assert.deepEqual(
      (JSON.parse(offline.out) as { problem?: string; signsIn?: boolean }[]).map(({ problem, signsIn }) => [
        problem === undefined,
        signsIn,
      ]),
      [
        [true, undefined],
        [false, undefined],
      ],
    );
    const refused = await command(["list", "--connection", "lab", "--json"], {}, place);
    assert.equal(refused.code, 4);
    assert.equal((JSON.parse(refused.err) as { error: { code: string } }).error.code, "unauthorized");
  });

  it("doctor tells of Pulumi, and of clocks that are apart", async () => {
    const pulumi = join(dir, "bin");
    await mkdir(pulumi);
    // Without any Pulumi on its path.
    const { out, code } = await command(["doctor"], { PATH: pulumi });
    assert.equal(code, 1);
    assert.match(out, /^✓ Node\.js: \d+\.\d+\.\d+$/m);
    assert.match(out, /^✗ Pulumi: pulumi isn't on PATH/m);
    assert.match(out, /^✓ Stack configuration: none, as this folder isn't in a Pulumi project$/m);
    assert.match(out, /^✓ owner \(openstack\): its clock agrees with this machine's$/m);
    recorder.faults.add({
      method: "GET",
      path: /^\/$/,
      status: 200,
      body: '{"versions":[]}',
      headers: { date: "Sat, 21 Nov 2020 00:00:00 GMT" },
    });
    const late = await command(["doctor"], { OS_CLOUD: "owner" });
    assert.match(late.out, /^! .*: its clock and this machine's are \d+ s apart/m);
  });

  it("reads a stack's configuration by pulumi, and says so where it can't", async () => {
    const project = join(dir, "project");
    await mkdir(join(project, "deeper"), { recursive: true });
    await writeFile(join(project, "Pulumi.yaml"), dump({ name: "p", runtime: "nodejs" }));
    const env = { PATH: join(dir, "nowhere") };
    const named = await command(["list", "--stack", "dev", "--cwd", join(project, "deeper")], env);
    assert.equal(named.code, 2);
    assert.match(named.err, /the configuration of the stack dev can't be read: pulumi isn't on PATH/);
    const unnamed = await command(["list", "--cwd", project, "--service", "openstack"], env);
    assert.equal(unnamed.code, 2);
    assert.match(unnamed.err, /^note: the stack's configuration isn't used: pulumi isn't on PATH$/m);
    const elsewhere = await command(["list", "--stack", "dev"]);
    assert.equal(elsewhere.code, 2);
    assert.match(elsewhere.err, /isn't in a Pulumi project, so there is no stack dev/);
  });

  it("has colours where they are wanted, and else none", async () => {
    const plain = await command(["connections"], { OS_CLOUD: "owner" });
    assert.ok(!plain.out.includes("\u001b["));
    const coloured = await command(["connections"], { FORCE_COLOR: "1" });
    assert.ok(coloured.out.includes("\u001b[32msigns in"));
    assert.equal(stripVTControlCharacters(coloured.out), plain.out);
  });

  it("downloads, ends at Ctrl-C with what came so far, and goes on from there", async () => {
    const file = join(dir, "big.raw");
    const part = `${file}.${imageId}.part`;
    const main = join(import.meta.dirname, "..", "..", "cli", "main.ts");
    recorder.faults.add({ method: "GET", path: /\/file$/, stallMs: 60_000 });
    const child = spawn(process.execPath, [main, "download", "big", file, "--connection", "owner"], {
      cwd: folder,
      env: cleanEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let err = "";
    child.stderr.on("data", chunk => {
      err += String(chunk);
    });
    const ended = new Promise<number | null>(resolve => void child.once("close", resolve));
    const begun = () =>
      access(part).then(
        () => true,
        () => false,
      );
    while (!(await begun())) await new Promise(resolve => setTimeout(resolve, 20));
    child.kill("SIGINT");
    assert.equal(await ended, 130, err);
    assert.match(
      err,
      /the download was told to stop; big\.raw\..*\.part has what came so far\. Repeat it to go on from there/,
    );
    const again = await command(["download", imageId, file, "--connection", "owner", "--json"]);
    assert.equal(again.code, 0, again.err);
    assert.equal((JSON.parse(again.out) as { size: number }).size, disk.length);
    assert.deepEqual(await readFile(file), disk);
    await writeFile(file, "other");
    const taken = await command(["download", "big", file, "--connection", "owner"]);
    assert.equal(taken.code, 5);
    const overwritten = await command(["download", "big", file, "--connection", "owner", "--overwrite"]);
    assert.equal(overwritten.code, 0, overwritten.err);
    assert.deepEqual(await readFile(file), disk);
  });

  it("goes on to its end where nobody reads what it prints any more", async () => {
    const env = cleanEnvironment({ OS_CLOUD: "owner" });
    const child = spawn(process.execPath, [main, "list"], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let err = "";
    child.stderr.on("data", data => (err += data));
    const code = await new Promise(resolve => child.once("close", resolve));
    assert.deepEqual([code, err], [0, ""]);
  });

  it("says of a working directory that was deleted that it is", async () => {
    const gone = await mkdtemp(join(dir, "gone-"));
    const args = ["-c", 'rmdir "$PWD"; exec "$@"', "sh", process.execPath, main, "list"];
    const ended = await promisify(execFile)("sh", args, { cwd: gone, env: cleanEnvironment() }).catch(
      (error: { code: number; stderr: string }) => error,
    );
    assert.equal(ended.stderr, "error: the working directory isn't there any more. Go to one that is\n");
    assert.equal("code" in ended && ended.code, 2);
  });

  it("explains its usage", async () => {
    const commands = ["connections", "list", "show", "download", "schema", "licenses", "jobs", "cancel-job", "doctor"];
    for (const name of [...commands, "adopt", "drift", "comment"]) {
      const { code, out } = await command([name, "--help"]);
      assert.equal(code, 0);
      assert.match(out, new RegExp(`^Usage: pulumi-images ${name} `));
      assert.match(out, new RegExp(`Examples:\\n {2}\\$ pulumi-images ${name}`));
      assert.match(out, /--json/);
    }
    const help = await command(["--help"]);
    assert.match(help.out, /Exit codes: 0 done/);
    const version = await command(["--version"]);
    assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
    for (const args of [["lst"], ["show"], ["list", "--service", "aws"], ["list", "--nope"], []]) {
      const { code, out } = await command(args);
      assert.equal(code, 2, args.join(" "));
      assert.equal(out, "");
    }
    const close = await command(["lst"]);
    assert.match(close.err, /Did you mean list\?/);
  });

  it("completes commands, options and their values", async () => {
    const commands = await command(["complete", "--", "do"]);
    assert.match(commands.out, /^doctor\t/m);
    assert.match(commands.out, /^download\t/m);
    const services = await command(["complete", "--", "list", "--service", ""]);
    for (const service of ["openstack", "ecl", "istack", "glance-v1", "digitalocean", "divvycloud"]) {
      assert.match(services.out, new RegExp(`^${service}\\t`, "m"));
    }
    const failOn = await command(["complete", "--", "drift", "--fail-on", ""]);
    for (const what of ["security", "availability", "metadata", "pending"]) {
      assert.match(failOn.out, new RegExp(`^${what}\\t`, "m"));
    }
    for (const shell of ["bash", "zsh", "fish", "powershell"]) {
      const { code, out } = await command(["complete", shell]);
      assert.equal(code, 0);
      assert.match(out, /pulumi-images/);
    }
  });
});
