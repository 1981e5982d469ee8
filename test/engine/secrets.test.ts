import assert from "node:assert/strict";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectionOf, environmentOf, onEachCloud } from "../openstack/clouds.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { type Declared, type Run, Stack } from "./stack.ts";

const verbose = ["-v", "9", "--logtostderr", "--logflow"];

/** Bytes of the first loader, in the inputs and in the outputs. */
const loaders = 2 * '"__provider":"exports.handler=()=>require(\\"pulumi-images/provider\\").image",'.length;

onEachCloud("Secrets", cloud => {
  let files: FileServer;
  const header = "header-value-that-nobody-may-see";
  const signature = "signature-that-nobody-may-see";
  const urlPassword = "url-password-that-nobody-may-see";
  const disk = noise("secret", 20_000);
  const signed = (name: string) =>
    `${files.url.replace("//", `//user:${urlPassword}@`)}/${name}?X-Amz-Signature=${signature}&part=1`;
  const image = (name: string, args: Record<string, unknown>): Declared => ({
    kind: "Image",
    name,
    args: { service: "openstack", name, diskFormat: "raw", containerFormat: "bare", ...args },
  });

  before(async () => {
    files = await startFileServer();
    files.files.set("/private.raw", { body: disk, headers: { etag: '"1"' }, needs: { "X-Key": header } });
    files.files.set("/signed.raw", { body: disk, headers: { etag: '"1"' } });
  });
  after(() => files.stop());

  /** Looks for secrets, in the forms that they could take on their way, in all that runs printed and left in their folder. */
  async function hunt(stack: Stack, runs: Run[], secrets: Record<string, string>): Promise<void> {
    const texts = new Map(runs.map((run, n) => [`the output of run ${n + 1}`, run.text]));
    // The program itself holds what a test plants in it.
    for (const file of await filesIn(stack.folder)) {
      if (!file.endsWith("resources.json")) texts.set(file, await readFile(file, "latin1"));
    }
    assert.ok(
      [...texts.keys()].some(name => name.includes("/history/")),
      "the runs left files to search",
    );
    for (const [where, text] of texts) {
      for (const [what, secret] of Object.entries(secrets)) {
        for (const form of new Set([secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")])) {
          const at = text.indexOf(form);
          assert.equal(at, -1, `${what} in ${where}: …${text.slice(Math.max(0, at - 300), at)}<HERE>`);
        }
      }
    }
  }

  const tokens = () => {
    const seen = new Set(
      cloud()
        .requests()
        .flatMap(({ headers }) => headers["x-auth-token"] ?? []),
    );
    assert.ok(seen.size > 0, "the requests had tokens");
    return Object.fromEntries([...seen].map((token, n) => [`token ${n + 1}`, token]));
  };

  it("of a source and of a cloud are in no state, no file, and no output at the highest verbosity", async () => {
    const { accounts } = cloud();
    const trace = join("trace.log");
    const env = { ...environmentOf(cloud(), accounts.owner), PULUMI_IMAGES_TRACE: trace };
    const stack = await Stack.create({ project: "secrets", env, ownProcess: true });
    try {
      await writeFile(join(stack.folder, "disk.raw"), disk);
      const good = [
        image("private", { source: { url: `${files.url}/private.raw`, headers: { "X-Key": header } } }),
        image("signed", { source: { url: signed("signed.raw") } }),
        image("file", { source: { file: "disk.raw" } }),
      ];
      cloud().forget();
      // What fails says more than what works.
      await stack.declare([...good, image("missing", { source: { url: signed("missing.raw") } })]);
      const failing = await stack.run(["up", "--yes", "--skip-preview", "--diff", ...verbose]);
      assert.notEqual(failing.code, 0);
      assert.match(failing.text, /404/);
      await stack.declare(good);
      const up = await stack.run(["up", "--yes", "--skip-preview", "--diff", ...verbose]);
      assert.equal(up.code, 0, up.text.slice(-2000));
      const refreshed = await stack.run(["preview", "--refresh", "--diff", ...verbose]);
      const exported = await stack.run(["stack", "export"]);
      assert.match(await readFile(join(stack.folder, trace), "utf8"), /"method":"PUT"/);
      const { password } = accounts.owner;
      await hunt(stack, [failing, up, refreshed, exported], { password, header, signature, urlPassword, ...tokens() });
    } finally {
      await stack.dispose();
    }
  });

  it("of the stack's config are in no state and no output, wherever they are set, and rotating them is no diff", async () => {
    const { owner } = cloud().accounts;
    const { password, ...open } = connectionOf(cloud(), owner);
    const stack = await Stack.create({ project: "rotate", ownProcess: true });
    const set = async (connection: string, values: Record<string, unknown>) => {
      const entries = Object.entries(values).map(
        ([key, value]) => `images:connections.${connection}.${key}=${String(value)}`,
      );
      const run = await stack.run(["config", "set-all", "--path", ...entries.flatMap(entry => ["--plaintext", entry])]);
      assert.equal(run.code, 0, run.text);
    };
    const setSecret = async (...args: string[]) => {
      const run = await stack.run(["config", "set", "--secret", ...args]);
      assert.equal(run.code, 0, run.text);
    };
    try {
      await writeFile(join(stack.folder, "disk.raw"), disk);
      await set("nested", open);
      await setSecret("--path", "images:connections.nested.password", String(password));
      await set("own", open);
      await setSecret("images:connections.own.password", String(password));
      cloud().forget();
      const source = { file: "disk.raw" };
      const declared = [image("one", { connection: "nested", source }), image("two", { connection: "own", source })];
      const up = await stack.up(declared);
      const exported = await stack.run(["stack", "export"]);
      await hunt(stack, [up, exported], { password: String(password), ...tokens() });

      await stack.run(["config", "rm", "--path", "images:connections.own"]);
      await stack.run(["config", "rm", "images:connections.own.password"]);
      const { id, secret } = owner.applicationCredential;
      await set("own", {
        service: "openstack",
        authUrl: open.authUrl,
        region: open.region,
        applicationCredentialId: id,
      });
      await setSecret("images:connections.own.applicationCredentialSecret", secret);
      const preview = await stack.preview(undefined, "--refresh", "--expect-no-changes");
      assert.equal(preview.code, 0, preview.text);
      await hunt(stack, [preview], { secret });

      const { two } = await stack.state();
      // What was there before an image's owner tag and region were remembered, and the loader looked in two places, is held to its bound.
      const since = ["ownerTag", "region", "__provider"];
      const bytes = JSON.stringify(two, (key, value) => (since.includes(key) ? undefined : value)).length + loaders;
      assert.ok(bytes < 2000, `${bytes} bytes in the state: ${JSON.stringify(two)}`);
      const ours = JSON.stringify({ inputs: two?.inputs, outputs: two?.outputs });
      assert.ok(ours.length <= 1500, `${ours.length} bytes of inputs and outputs in the state: ${ours}`);
      assert.ok(!JSON.stringify(two).includes("function"), "no code in the state");
      assert.match(two?.sourcePosition ?? "", /declare\.cjs#\d+/);
      assert.deepEqual(two?.stackTrace, [{ sourcePosition: two?.sourcePosition }], "just the line that says new");
    } finally {
      await stack.dispose();
    }
  });
});

async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry);
    if (entry === "node_modules") continue;
    if ((await stat(path)).isDirectory()) found.push(...(await filesIn(path)));
    else found.push(path);
  }
  return found;
}
