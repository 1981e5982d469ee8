import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Machine, temporaryFolder, thisMachine } from "../../shared/folders.ts";
import { keyOfUser } from "../../shared/seal.ts";

describe("The key that seals a source's secrets", () => {
  let folder: string;
  let machine: Machine;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "images-seal-"));
    mkdirSync(join(folder, "tmp"));
    machine = { ...thisMachine, env: { XDG_CACHE_HOME: join(folder, "cache") }, tmpdir: () => join(folder, "tmp") };
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  /** A cache folder that can't be made, whoever asks for it: root may write anywhere. */
  const blockCache = () => writeFileSync(join(folder, "cache"), "");

  it("is made once, for this user only", () => {
    const key = keyOfUser(machine);
    assert.equal(key.length, 32);
    assert.deepEqual(keyOfUser(machine), key);
    const place = join(folder, "cache", "pulumi-images");
    assert.deepEqual(readdirSync(place), ["seal"]);
    assert.equal(statSync(join(place, "seal", "key")).mode & 0o077, 0);
    assert.deepEqual(readdirSync(join(folder, "tmp")), []);
  });

  it("is the same for many who make it at once", async () => {
    const program = `
      import { keyOfUser } from ${JSON.stringify(new URL("../../shared/seal.ts", import.meta.url).href)};
      process.stdout.write(keyOfUser().toString("hex"));`;
    const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
    const keys = await Promise.all(
      Array.from({ length: 4 }, () =>
        promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { env }),
      ),
    );
    assert.equal(new Set(keys.map(({ stdout }) => stdout)).size, 1);
    assert.deepEqual(readdirSync(join(folder, "cache", "pulumi-images")), ["seal"]);
  });

  it("is among the temporary files where the cache can't be written, or the user has no folder", () => {
    blockCache();
    const key = keyOfUser(machine);
    const nobody = () => {
      throw new Error("uv_os_homedir returned ENOENT");
    };
    assert.deepEqual(keyOfUser({ ...machine, env: {}, homedir: nobody }), key);
    assert.equal(statSync(temporaryFolder(machine)).mode & 0o077, 0);
  });

  it("isn't taken from a folder that somebody else made, or can enter", () => {
    blockCache();
    const refused = { message: /isn't this user's alone\. Set XDG_CACHE_HOME to a folder that can be written$/ };
    const place = temporaryFolder(machine);
    mkdirSync(place);
    chmodSync(place, 0o755);
    assert.throws(() => keyOfUser(machine), refused);
    rmSync(place, { recursive: true });
    mkdirSync(join(folder, "theirs"), { mode: 0o700 });
    symlinkSync(join(folder, "theirs"), place);
    assert.throws(() => keyOfUser(machine), refused);
    rmSync(place);
    const other: Machine = { ...machine, uid: 54321 };
    mkdirSync(temporaryFolder(other), { mode: 0o700 });
    assert.throws(() => keyOfUser(other), refused);
  });

  it("that was damaged is named", () => {
    keyOfUser(machine);
    const key = join(folder, "cache", "pulumi-images", "seal", "key");
    writeFileSync(key, "short");
    writeFileSync(join(folder, "blocked"), "");
    const noTemporary = { ...machine, tmpdir: () => join(folder, "blocked") };
    assert.throws(() => keyOfUser(noTemporary), {
      message: new RegExp(`${key} doesn't hold a key of 32 bytes: delete it`),
    });
  });
});
