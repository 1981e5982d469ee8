import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { pulumiImages } from "../cli/command.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { client } from "../cloud/digitalocean/exercise.ts";
import type { Account } from "../cloud/openStackCloud.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { type ForgeServer, startForge } from "../support/forge.ts";
import { CommandLines, filesIn, findSecret } from "../support/secrets.ts";
import { type Declared, Stack } from "./stack.ts";

/** The most that Pulumi says. Of Node's own logs, those that don't print requests by themselves: http and net do, as Node warns. */
const verbose = ["-v", "11", "--logtostderr", "--logflow"];
const chatter = { NODE_DEBUG: "https,tls", PULUMI_DEBUG_GRPC: "grpc.json", TF_LOG: "TRACE" };

/** Looks images up, and downloads one. */
const functions = `
const images = require("pulumi-images");
module.exports = async () => {
  const found = [];
  for (const service of ["openstack", "ecl", "istack", "glance-v1", "digitalocean", "divvycloud"])
    found.push((await images.getImages({ service, connection: service })).length);
  const [one] = await images.getImages({ service: "openstack", connection: "openstack", name: "file" });
  await images.downloadImage({ service: "openstack", connection: "openstack", imageId: one.id, file: "copy.raw" });
  return { found };
};
`;

/**
 * Secrets are planted wherever they can be, a run of everything is made with every log there is, what works and what fails, and then each
 * file and line of it is searched.
 */
describe("Leak hunt, on all services", () => {
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;
  let stack: Stack;
  let forge: ForgeServer;
  let droplet: string;
  const outputs = new Map<string, string>();
  const lines = new CommandLines();
  const planted = {
    "a source's header": "planted/header+value=1",
    "a url's password": "planted-url-password-2",
    "a url's signature": "planted-url-signature-3",
    "a forge's token that isn't valid": "planted-forge-token-4",
  };
  const disk = noise("leaks", 50_000);

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-leaks-"));
    const settings = { digitalocean: { taskTime: 20 }, divvycloud: { taskTime: 20 }, ecl: { copyStep: 5 } };
    cloud = await startCloud({ dir: join(dir, "cloud"), regions: 2, settings });
    files = await startFileServer();
    forge = await startForge();
    const made = await client(cloud.services.digitalocean.controlUrl)("POST", "/sender/droplets", { name: "base" });
    droplet = String(made.body.id);
    files.files.set("/disk.raw", { body: disk, headers: { etag: '"one"' } });
    files.files.set("/private.raw", {
      body: disk,
      headers: { etag: '"two"' },
      needs: { "X-Key": planted["a source's header"] },
    });
    await writeFile(join(dir, "clouds.yaml"), dump({ clouds: clouds("open") }));
    await writeFile(join(dir, "secure.yaml"), dump({ clouds: clouds("secret") }), { mode: 0o600 });
    const { digitalocean, divvycloud } = cloud.services;
    // The cloud's secrets lie beside the stack's folder, which is searched.
    stack = await Stack.create({
      project: "leaks",
      ownProcess: true,
      config: { "images:connections": connections() },
      env: {
        ...chatter,
        OS_CLIENT_CONFIG_FILE: join(dir, "clouds.yaml"),
        OS_CLIENT_SECURE_FILE: join(dir, "secure.yaml"),
        DIGITALOCEAN_TOKEN: digitalocean.accounts.sender.token,
        DIGITALOCEAN_API_URL: digitalocean.url,
        DIVVYCLOUD_URL: divvycloud.url,
        DIVVYCLOUD_API_KEY: divvycloud.admin.apiKey,
        PULUMI_IMAGES_TRACE: "trace.jsonl",
      },
    });
    await writeFile(join(stack.folder, "disk.raw"), disk);
    for (const folder of ["tmp", "cache", "reports"]) await mkdir(join(stack.folder, folder));
  });
  after(async () => {
    await lines.end();
    await stack?.dispose();
    await files?.stop();
    await forge?.stop();
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const accounts = (): Record<string, Account> => {
    const { openstack, ecl, istack, "glance-v1": v1 } = cloud.services;
    return {
      openstack: openstack.accounts.owner,
      "openstack-consumer": openstack.accounts.consumer,
      ecl: ecl.accounts.owner,
      istack: istack.accounts.owner,
      "glance-v1": v1.accounts.owner,
    };
  };

  /** Halves of clouds.yaml: what may be read, and what may not. One account signs in by its application credential. */
  function clouds(half: "open" | "secret"): Record<string, unknown> {
    const { openstack } = cloud.services;
    return Object.fromEntries(
      Object.entries(accounts()).map(([name, account]) => {
        const { authUrl } = cloud.services[name.replace("-consumer", "") as "openstack"];
        const { id, secret } = account.applicationCredential;
        const region_name = name.startsWith("openstack") ? openstack.regions[0]?.name : undefined;
        const auth =
          name === "openstack-consumer"
            ? half === "open"
              ? { auth_url: authUrl, application_credential_id: id }
              : { application_credential_secret: secret }
            : half === "open"
              ? {
                  ...{ auth_url: authUrl, username: account.username, user_domain_name: account.userDomain },
                  project_id: account.projectId,
                }
              : { password: account.password };
        const type = name === "openstack-consumer" ? { auth_type: "v3applicationcredential" } : {};
        return [name, half === "open" ? { ...type, auth, ...(region_name ? { region_name } : {}) } : { auth }];
      }),
    );
  }

  /** Without a secret in them. */
  function connections(): Record<string, unknown> {
    const named = Object.keys(accounts()).map(name => [name, { service: name.replace("-consumer", ""), cloud: name }]);
    return Object.fromEntries(named);
  }

  function secrets(): Record<string, string> {
    const { digitalocean, divvycloud } = cloud.services;
    const known = Object.entries(accounts()).flatMap(([name, { password, applicationCredential }]) => [
      [`the password of ${name}`, password],
      [`the application credential of ${name}`, applicationCredential.secret],
    ]);
    return {
      ...planted,
      ...Object.fromEntries(known),
      "DigitalOcean's token": digitalocean.accounts.sender.token,
      "DivvyCloud's key": divvycloud.admin.apiKey,
      "DivvyCloud's password": divvycloud.admin.password,
      "the forge's token": forge.token,
    };
  }

  /** DivvyCloud by name and password, instead of the key: then it gives out sessions. */
  function sessions(): NodeJS.ProcessEnv {
    const { username, password } = cloud.services.divvycloud.admin;
    return { DIVVYCLOUD_API_KEY: undefined, DIVVYCLOUD_USERNAME: username, DIVVYCLOUD_PASSWORD: password };
  }

  /** Those that the cloud has given out meanwhile: its own files hold them. */
  async function tokens(): Promise<Record<string, string>> {
    const stores = (await filesIn(join(dir, "cloud"))).filter(file => file.endsWith("keystone.json"));
    const given = await Promise.all(
      stores.map(async file => Object.keys((JSON.parse(await readFile(file, "utf8")) as { tokens: object }).tokens)),
    );
    const state = await readFile(join(dir, "cloud", "divvycloud", "state.json"), "utf8");
    const begun = (JSON.parse(state) as { sessions: { id: string }[] }).sessions.map(({ id }) => id);
    assert.ok(begun.length > 0, "DivvyCloud has begun sessions");
    return Object.fromEntries([...given.flat(), ...begun].map((token, n) => [`token ${n}`, token]));
  }

  function declared(): Declared[] {
    const raw = { diskFormat: "raw", containerFormat: "bare" };
    const source = { file: "disk.raw" };
    const of = (kind: Declared["kind"], service: string, name: string, args: Record<string, unknown>): Declared => {
      const hasName = ["digitalocean", "divvycloud"].includes(service) ? {} : { connection: service };
      return { kind, name, args: { service, ...hasName, ...args } };
    };
    const { "a url's password": password, "a url's signature": signature } = planted;
    const url = `${files.url.replace("//", `//user:${password}@`)}/disk.raw?X-Amz-Signature=${signature}`;
    const header = { headers: { "X-Key": planted["a source's header"] } };
    const image = (service: string, name: string, args: Record<string, unknown> = {}) =>
      of("Image", service, name, { name, ...raw, source, ...args });
    const imageId = { $output: "file.id" };
    const project = cloud.services.openstack.accounts.consumer.projectId;
    return [
      image("openstack", "file", { visibility: "shared" }),
      image("openstack", "private", { source: { url: `${files.url}/private.raw`, ...header } }),
      image("openstack", "signed", { source: { url } }),
      image("openstack", "imported", { source: { url, mode: "import" } }),
      of("ImageMember", "openstack", "member", {
        imageId,
        member: project,
        accept: { connection: "openstack-consumer" },
      }),
      of("ImageTag", "openstack", "tag", { imageId, tag: "a tag" }),
      of("ImageCopy", "openstack", "copy", { imageId, to: { connection: "openstack-consumer" } }),
      image("ecl", "ecl"),
      of("ImageTag", "ecl", "ecl tag", { imageId: { $output: "ecl.id" }, tag: "x" }),
      image("istack", "istack"),
      image("glance-v1", "v1", { source: { url } }),
      of("ImageMember", "glance-v1", "v1 member", { imageId: { $output: "v1.id" }, member: project }),
      of("Image", "digitalocean", "do", { name: "do", regions: ["nyc3"], source: { url: url.replace(/user.*@/, "") } }),
      of("ImageTag", "digitalocean", "do tag", { imageId: { $output: "do.id" }, tag: "x" }),
      of("ImageCopy", "digitalocean", "do copy", { imageId: { $output: "do.id" }, to: { regions: ["ams3"] } }),
      of("Image", "digitalocean", "do snapshot", { name: "do snapshot", dropletId: droplet }),
      of("ImageMember", "digitalocean", "do member", {
        imageId: { $output: "do snapshot.id" },
        recipientUuid: cloud.services.digitalocean.accounts.recipient.uuid,
      }),
      of("Image", "divvycloud", "divvy", {
        name: "divvy",
        adopt: { id: cloud.services.divvycloud.clouds.AWS?.images[0] },
      }),
    ];
  }

  /** Runs with everything that it writes in the stack's folder. */
  async function run(title: string, args: string[], more: NodeJS.ProcessEnv = {}): Promise<number> {
    const env = {
      ...more,
      TMPDIR: join(stack.folder, "tmp"),
      XDG_CACHE_HOME: join(stack.folder, "cache"),
      NODE_OPTIONS: `--report-on-signal --report-uncaught-exception --report-on-fatalerror --report-directory=${join(stack.folder, "reports")}`,
    };
    const { code, text } = await stack.run(args, { events: !["stack"].includes(args[0] as string), env });
    outputs.set(title, text);
    return code;
  }

  /** Node's own crash report, and a provider that is killed: both in the middle of its work. */
  async function crash(): Promise<void> {
    const provider = async () => {
      for (const pid of (await readdir("/proc")).filter(name => /^\d+$/.test(name))) {
        const about = async (what: string) => await readFile(`/proc/${pid}/${what}`, "utf8").catch(() => "");
        if ((await about("cmdline")).includes("dynamic-provider") && (await about("environ")).includes(stack.folder))
          return Number(pid);
      }
      return undefined;
    };
    const pid = await provider();
    if (pid === undefined) throw new Error("no provider process is running");
    process.kill(pid, "SIGUSR2");
    while ((await readdir(join(stack.folder, "reports"))).length === 0) await new Promise(done => setTimeout(done, 20));
    process.kill(pid, "SIGKILL");
  }

  /** Drift in every format, and as a comment: one that is written, and one that is refused. */
  async function report(): Promise<void> {
    const { openstack } = cloud.services;
    const owner = await ImageApi.signIn(
      openstack.authUrl,
      openstack.accounts.owner,
      openstack.imageServers[0] as string,
    );
    await owner.set((await stack.state()).signed?.id as string, { name: "drifted" });
    const formats = ["markdown", "json", "junit", "sarif", "html"].flatMap(name => [`--${name}`, `drift.${name}`]);
    const drift = await pulumiImages(["drift", "--stack", stack.name, ...formats], {
      cwd: stack.folder,
      env: { ...stack.env, ...sessions() },
    });
    outputs.set("pulumi-images drift", `${drift.out}\n${drift.err}`);
    assert.equal(drift.code, 2, drift.err);
    const github = {
      ...{
        GITHUB_ACTIONS: "true",
        GITHUB_API_URL: forge.url,
        GITHUB_REPOSITORY: "o/r",
        GITHUB_REF: "refs/pull/7/merge",
      },
      PATH: process.env.PATH,
    };
    for (const token of [forge.token, planted["a forge's token that isn't valid"]]) {
      const comment = await pulumiImages(["comment", "drift.markdown"], {
        cwd: stack.folder,
        env: { ...github, GITHUB_TOKEN: token },
      });
      outputs.set(`pulumi-images comment, code ${comment.code}`, `${comment.out}\n${comment.err}`);
    }
    assert.deepEqual(
      [...outputs.keys()].filter(title => title.includes("comment")),
      ["pulumi-images comment, code 0", "pulumi-images comment, code 4"],
    );
    for (const [n, { body }] of forge.comments.entries()) outputs.set(`comment ${n}`, body);
  }

  it("a run of everything: what fails, what works, a crash, a refresh, functions, the command", async () => {
    // What fails says more than what works: each service repeats the first request that changes something, credentials and all.
    for (const path of [/\/v2\/images$/, /\/v1\/images/, /\/v2\/public\/resource\/.*prototype/])
      cloud.faults.add({ method: "POST", path, status: 400, echo: true, count: 3 });
    cloud.faults.add({
      method: "GET",
      path: /\/v2\/images\?owner/,
      status: 302,
      headers: { location: `${files.url.replace("127.0.0.1", "localhost")}/elsewhere` },
    });
    cloud.faults.add({ path: /auth\/tokens/, skip: 4, status: 500, echo: true });
    await stack.declare(declared());
    assert.notEqual(
      await run("the failing up", ["up", "--yes", "--skip-preview", "--diff", "--continue-on-error", ...verbose]),
      0,
    );
    assert.ok(outputs.get("the failing up")?.includes("answered 400"), "the services were heard");
    for (const { headers } of files.requests.filter(({ url }) => url?.startsWith("/elsewhere")))
      assert.deepEqual([headers["x-auth-token"], headers.authorization], [undefined, undefined]);

    cloud.faults.clear();
    // The uploads stop here, until the provider is no more.
    cloud.faults.add({ method: "PUT", path: /\/file$/, stall: true });
    const before = cloud.requests.length;
    const dying = run("the up whose provider was killed", ["up", "--yes", "--skip-preview", ...verbose]);
    const ended = dying.then(() => true);
    const uploading = ({ method, path }: { method: string; path: string }) =>
      method === "PUT" && path.endsWith("/file");
    while (!cloud.requests.slice(before).some(uploading)) {
      const early = await Promise.race([ended, new Promise(done => setTimeout(done, 20))]);
      assert.ok(
        !early,
        `it ended before it sent anything: ${outputs.get("the up whose provider was killed")?.slice(-2000)}`,
      );
    }
    await crash();
    assert.notEqual(await dying, 0);

    cloud.faults.clear();
    assert.equal(
      await run("the up", ["up", "--yes", "--skip-preview", "--diff", ...verbose], sessions()),
      0,
      outputs.get("the up")?.slice(-3000),
    );
    assert.equal(await run("the preview", ["preview", "--refresh", "--diff", "--json", ...verbose]), 0);
    await run("the export", ["stack", "export"]);
    await report();
    await writeFile(join(stack.folder, "index.cjs"), functions);
    assert.equal(await run("functions", ["preview", ...verbose]), 0, outputs.get("functions")?.slice(-3000));
    const env = {
      ...process.env,
      ...chatter,
      OS_CLIENT_CONFIG_FILE: join(dir, "clouds.yaml"),
      OS_CLIENT_SECURE_FILE: join(dir, "secure.yaml"),
      OS_CLOUD: "openstack",
    };
    for (const args of [
      ["connections", "--json"],
      ["list", "--connection", "openstack"],
      ["show", "--connection", "openstack", "nobody"],
    ]) {
      const { out, err } = await pulumiImages(args, { cwd: stack.folder, env });
      outputs.set(`pulumi-images ${args[0]}`, `${out}\n${err}`);
    }
  }).timeout(600_000);

  it("leaves no secret in any file, any line, or any command line", async () => {
    await lines.end();
    await cloud.stop();
    const texts = new Map(outputs);
    for (const file of await filesIn(stack.folder)) {
      // The program itself holds what is planted in it.
      if (!file.endsWith("resources.json")) texts.set(file, await readFile(file, "latin1"));
    }
    for (const line of lines.seen) texts.set(`the command line ${line.slice(0, 40)}`, line);
    const names = [...texts.keys()].join("\n");
    for (const part of [
      "/history/",
      "/reports/",
      "/cache/",
      "trace.jsonl",
      "events-",
      "grpc.json",
      "drift.json",
      "drift.html",
      "comment 0",
    ])
      assert.ok(names.includes(part), `${part} is among what is searched`);
    const given = await tokens();
    assert.ok(Object.keys(given).length >= 5, "the cloud has given tokens");
    assert.equal(findSecret(texts, { ...secrets(), ...given }), undefined);
  });
});
