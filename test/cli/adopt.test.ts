import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import typescript from "typescript";
import type { Clients } from "../clients/environment.ts";
import { OpenStackCommand } from "../clients/openstackCommand.ts";
import { installOrSkip } from "../clients/outcome.ts";
import { Stack } from "../engine/stack.ts";
import { environmentOf, onEachCloud } from "../openstack/clouds.ts";
import type { ImageApi } from "../openstack/imageApi.ts";
import { noise, qcow2 } from "../support/disk.ts";
import { cleanEnvironment, pulumiImages } from "./command.ts";

const run = promisify(execFile);
const count = 50;

/** Arguments of `openstack image create` for images of every kind: with data and without, with everything that one can set. */
function creations(folder: string): string[][] {
  return Array.from({ length: count }, (_, index) => {
    const args = ["image", "create", "-f", "json", "--tag", "fleet"];
    if (index % 3 === 0) args.push("--file", join(folder, "disk.raw"), "--disk-format", "raw");
    else if (index % 3 === 1) args.push("--file", join(folder, "disk.qcow2"), "--disk-format", "qcow2");
    else args.push("--disk-format", "iso", "--private");
    if (index % 2 === 0) args.push("--property", "os_distro=debian", "--property", 'hw:odd key=it\'s "quoted" $x`');
    if (index % 4 === 0) args.push("--min-disk", "10", "--min-ram", "512", "--tag", "lts");
    if (index % 5 === 0) args.push("--protected");
    if (index % 6 === 1) args.push("--community");
    // Names needn't be unique, nor words that a program can use.
    args.push(index < 2 ? "twins" : index === 2 ? "class" : index === 3 ? "2026 :: “été”" : `image-${index}.${index}`);
    return args;
  });
}

onEachCloud("adopt", cloud => {
  let clients: Clients;
  let stack: Stack;
  let api: ImageApi;
  const ids: string[] = [];
  let text: string;
  let env: NodeJS.ProcessEnv;

  before(async function () {
    this.timeout(600_000);
    clients = await installOrSkip(this, "current");
    env = environmentOf(cloud(), cloud().accounts.owner);
    api = await cloud().as("owner");
    stack = await Stack.create({ project: "adopt", env, ownProcess: true });
    await writeFile(join(stack.folder, "disk.raw"), noise("adopt", 5000));
    await writeFile(join(stack.folder, "disk.qcow2"), qcow2("adopt"));
    const openstack = new OpenStackCommand(clients, env);
    for (const args of creations(stack.folder))
      ids.push((JSON.parse(await openstack.run(...args)) as { id: string }).id);
    await openstack.stop();
    assert.equal(new Set(ids).size, count);
  });
  after(async () => {
    for (const id of ids) await api.set(id, { protected: false });
    await stack?.dispose();
    for (const id of ids) if (await api.exists(id)) await api.delete(id);
  });

  it("writes a program that compiles", async () => {
    const args = ["adopt", "--service", "openstack", "--filter", "tags=fleet"];
    const adopted = await pulumiImages(args, { cwd: stack.folder, env: cleanEnvironment(env) });
    assert.equal(adopted.code, 0, adopted.err);
    assert.match(adopted.err, /^50 images$/m);
    text = adopted.out;
    const source = join(stack.folder, "adopted.ts");
    await writeFile(source, text);
    await writeFile(
      join(stack.folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          module: "nodenext",
          target: "es2023",
          exactOptionalPropertyTypes: true,
          // The libraries' own declarations are checked in test/package.
          skipLibCheck: true,
          types: ["node"],
        },
        files: ["adopted.ts"],
      }),
    );
    const tsc = join(import.meta.dirname, "..", "..", "node_modules", "typescript", "bin", "tsc");
    await run(process.execPath, [tsc, "-p", stack.folder]).catch(error => assert.fail(String(error.stdout)));
    for (const id of ids) assert.ok(text.includes(`adopt: { id: "${id}" }`), id);
    // What the client notes for itself isn't worth managing.
    assert.doesNotMatch(text, /owner_specified/);
  });

  it("writes the same program again", async () => {
    const args = ["adopt", "--service", "openstack", "--filter", "tags=fleet"];
    assert.equal((await pulumiImages(args, { cwd: stack.folder, env: cleanEnvironment(env) })).out, text);
  });

  it("takes all in, writing nothing but owner tags, and then has nothing to change", async function () {
    this.timeout(300_000);
    const { outputText } = typescript.transpileModule(text, {
      compilerOptions: { module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2023 },
    });
    await writeFile(join(stack.folder, "index.cjs"), outputText);
    cloud().forget();
    const preview = await stack.preview();
    assert.equal(preview.code, 0, preview.text);
    assert.deepEqual(cloud().writes(), []);
    const up = await stack.up();
    assert.deepEqual(cloud().writes().toSorted(), ids.map(id => `PATCH /v2/images/${id}`).toSorted());
    cloud().forget();
    assert.equal(Object.values(up.steps).filter(step => step === "create").length, count);
    const state = await stack.state();
    assert.deepEqual(
      Object.values(state)
        .map(({ id }) => id)
        .toSorted(),
      ids.toSorted(),
    );
    const again = await stack.preview(undefined, "--refresh", "--expect-no-changes");
    assert.equal(again.code, 0, again.text);
    assert.deepEqual(cloud().writes(), []);
  });

  it("takes names and ids, and keeps the images when asked to", async () => {
    const [, second] = ids;
    const args = ["adopt", "class", second as string, "--service", "openstack", "--retain"];
    const { code, out } = await pulumiImages(args, { cwd: stack.folder, env: cleanEnvironment(env) });
    assert.equal(code, 0);
    assert.match(out, /export const imageClass = new Image\("class", \{\n {2}service: "openstack",\n {2}adopt: /);
    assert.equal(out.match(/^}, { retainOnDelete: true }\);$/gm)?.length, 2);
    const many = await pulumiImages(["adopt", "twins", "--service", "openstack"], {
      cwd: stack.folder,
      env: cleanEnvironment(env),
    });
    assert.equal(many.code, 5);
    assert.match(many.err, /2 images on the connection openstack are named "twins"/);
  });
});
