import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalCloud } from "../cloud/cloud.ts";
import { deadTags, type Held, inventory } from "../fixtures/states/inventory.ts";
import { addressesOf, type OldState, readOldState, writeCloud } from "../fixtures/states/oldState.ts";
import { serve, startQuickCloud, writeFiles } from "../fixtures/states/surroundings.ts";
import type { FileServer } from "../support/fileServer.ts";
import { type Declared, Stack, type StateResource } from "./stack.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures", "states");

/** A state that an earlier version left, with its cloud running again. */
class Restored {
  readonly old: OldState;
  readonly stack: Stack;
  readonly #dir: string;
  readonly #cloud: LocalCloud;
  readonly #web: FileServer;

  private constructor(old: OldState, stack: Stack, dir: string, cloud: LocalCloud, web: FileServer) {
    this.old = old;
    this.stack = stack;
    this.#dir = dir;
    this.#cloud = cloud;
    this.#web = web;
  }

  static async from(file: string): Promise<Restored> {
    const dir = await mkdtemp(join(tmpdir(), "pulumi-images-old-state-"));
    const { files, services } = await readOldState(file);
    const web = await serve(files);
    const here = { "web server": web.url, cloud: dir };
    await writeCloud(dir, (await readOldState(file, here)).cloud);
    const cloud = await startQuickCloud(dir, services);
    const old = await readOldState(file, { ...here, ...(await addressesOf(dir)) });
    const config = { "images:connections": old.connections };
    const stack = await Stack.create({ wholeProject: old.project, config });
    return new Restored(old, stack, dir, cloud, web);
  }

  /** Gives the stack its state, its program, and its files. */
  async import(): Promise<void> {
    await writeFiles(this.stack.folder, this.old.files);
    await this.stack.import(this.old.deployment);
    await this.stack.declare(this.old.program);
  }

  async held(): Promise<Held[]> {
    return await inventory(this.#dir);
  }

  async deadTags(): Promise<string[]> {
    return await deadTags(this.#dir);
  }

  /** What was asked of the cloud so far that changes something there. */
  writes(): string[] {
    return this.#cloud.requests
      .filter(({ method, path }) => !["GET", "HEAD"].includes(method) && !/\/auth\/tokens|\/query$|\/login$/.test(path))
      .map(({ method, path }) => `${method} ${path}`);
  }

  async stop(): Promise<void> {
    await this.stack.dispose();
    await this.#cloud.stop();
    await this.#web.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

/** What is in the cloud, as far as an update leaves it as it is. */
function bytes(held: Held[]): Record<string, string[]> {
  return Object.fromEntries(held.map(({ place, id, data }) => [`${place} ${id}`, [...new Set(Object.values(data))]]));
}

async function assertDestroyed(restored: Restored, left: Held[]): Promise<void> {
  await restored.stack.destroy();
  assert.deepEqual(await restored.stack.state(), {});
  assert.deepEqual(await restored.held(), left);
  assert.deepEqual(await restored.deadTags(), []);
}

for (const version of readdirSync(fixtures).filter(name => /^[0-9a-f]{7}$/.test(name))) {
  for (const name of readdirSync(join(fixtures, version))) {
    const file = join(fixtures, version, name);
    describe(`A state of version ${version}: ${name.replace(".json.gz", "")}`, () => {
      describe("as it was left", () => {
        let restored: Restored;
        before(async () => {
          restored = await Restored.from(file);
          await restored.import();
        });
        after(() => restored?.stop());

        for (const flags of [[], ["--refresh"]]) {
          it(`shows no change at ${["preview", ...flags].join(" ")}`, async () => {
            const run = await restored.stack.preview(undefined, ...flags, "--expect-no-changes");
            assert.equal(run.code, 0, run.text);
            const changes = Object.entries(run.steps).filter(([, step]) => !["same", "read", "refresh"].includes(step));
            assert.deepEqual(changes, [], run.text);
            assert.deepEqual(restored.writes(), []);
          });
        }

        it("is destroyed whole, and nothing else is touched", () =>
          assertDestroyed(restored, restored.old.left.recorded));
      });

      describe("that has forgotten an image", () => {
        let restored: Restored;
        before(async () => {
          restored = await Restored.from(file);
          await restored.import();
        });
        after(() => restored?.stop());

        it("takes that image for a finished one: leaves it alone, makes another one, and says so", async () => {
          const { old, stack } = restored;
          const [first, ...others] = old.program as [Declared, ...Declared[]];
          const { id, urn } = (await stack.state())[first.name] as StateResource;
          const deleted = await stack.run(["state", "delete", urn, "--yes"]);
          assert.equal(deleted.code, 0, deleted.text);
          const found = (await restored.held()).find(image => image.id === id);
          // Where there is data, it is other data.
          const args = JSON.parse(JSON.stringify(first.args).replace("disk.raw", "disk-2.raw"));
          const says = new RegExp(`image ${id} .*adopt: \\{ id: "${id}" \\}`, "s");
          const program = [{ ...first, args }, ...others];
          const runs = [await stack.preview(program), await stack.up(program)];
          assert.deepEqual(
            (await restored.held()).find(image => image.id === id),
            found,
          );
          assert.notEqual((await stack.state())[first.name]?.id, id);
          for (const { text } of runs) assert.match(text, says);
        });
      });

      describe("updated", () => {
        let restored: Restored;
        before(async () => {
          restored = await Restored.from(file);
          await restored.import();
        });
        after(() => restored?.stop());

        it("in place: the same images, with the same bytes", async () => {
          const { old, stack } = restored;
          const found = bytes(await restored.held());
          const run = await stack.up(old.updated);
          assert.deepEqual(run.steps, old.steps);
          assert.deepEqual(bytes(await restored.held()), found);
        });

        it("is as it is declared now", async () => {
          const { old, stack } = restored;
          const run = await stack.preview(undefined, "--refresh", "--expect-no-changes");
          assert.equal(run.code, 0, run.text);
          const state = await stack.state();
          const held = await restored.held();
          for (const { kind, name, args } of old.updated) {
            const { id, outputs } = state[name] as StateResource;
            const image = held.find(found => found.id === (outputs.imageId ?? id));
            if (kind === "Image" && args.name !== undefined) assert.equal(image?.name, args.name);
            if (kind === "ImageTag") assert.ok(image?.tags.includes(String(args.tag)), `${name}: ${image?.tags}`);
          }
        });

        it("is destroyed whole, and nothing else is touched", () =>
          assertDestroyed(restored, restored.old.left.updated));
      });
    });
  }
}
