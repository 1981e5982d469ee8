import assert from "node:assert/strict";
import { mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder, replaceFile } from "../../shared/files.ts";
import {
  cacheFolder,
  homeFolder,
  type Machine,
  openStackFolders,
  resolvePath,
  temporaryFolder,
} from "../../shared/folders.ts";

/** As Node does for a user without HOME and without an entry in /etc/passwd. */
const nobody = () => {
  throw new Error("A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)");
};

const linux: Machine = { platform: "linux", env: {}, homedir: () => "/home/me", tmpdir: () => "/tmp", uid: 1000 };
const macos: Machine = { ...linux, platform: "darwin", homedir: () => "/Users/me" };
const windows: Machine = {
  platform: "win32",
  env: { USERPROFILE: "C:\\Users\\me", LOCALAPPDATA: "C:\\Users\\me\\AppData\\Local", HOME: "/c/Users/me" },
  homedir: () => "C:\\Users\\me",
  tmpdir: () => "C:\\Temp",
  uid: undefined,
};

describe("The folders of a user", () => {
  it("are the system's own, and those of the XDG variables", () => {
    assert.equal(cacheFolder(linux), "/home/me/.cache/pulumi-images");
    assert.equal(cacheFolder({ ...linux, env: { XDG_CACHE_HOME: "/c" } }), "/c/pulumi-images");
    assert.equal(cacheFolder({ ...linux, env: { HOME: "/elsewhere" } }), "/elsewhere/.cache/pulumi-images");
    assert.equal(cacheFolder(macos), "/Users/me/Library/Caches/pulumi-images");
    assert.equal(cacheFolder(windows), "C:\\Users\\me\\AppData\\Local\\pulumi-images");
    assert.equal(temporaryFolder(linux), "/tmp/pulumi-images-1000");
    assert.equal(temporaryFolder(windows), "C:\\Temp\\pulumi-images");
  });

  it("are none for a user that the system doesn't know, or whose HOME is no path", () => {
    for (const machine of [
      { ...linux, homedir: nobody },
      { ...linux, homedir: () => "" },
    ]) {
      assert.equal(homeFolder(machine), undefined);
      assert.equal(cacheFolder(machine), undefined);
      assert.deepEqual(openStackFolders(machine), ["/etc/xdg/openstack", "/etc/openstack"]);
      assert.equal(resolvePath("~/ca.pem", "/program", machine), "/program/~/ca.pem");
    }
  });

  it("of clouds.yaml are those of openstacksdk", () => {
    assert.deepEqual(openStackFolders({ ...linux, env: { XDG_CONFIG_HOME: "/x" } }), [
      "/x/openstack",
      "/home/me/.config/openstack",
      "/etc/xdg/openstack",
      "/etc/openstack",
    ]);
    assert.deepEqual(openStackFolders(macos), [
      "/Users/me/Library/Application Support/openstack",
      "/Users/me/.config/openstack",
      "/Library/Application Support/openstack",
      "/etc/openstack",
    ]);
    assert.deepEqual(openStackFolders(windows), [
      "C:\\Users\\me\\AppData\\Local\\OpenStack\\openstack",
      "C:\\Users\\me\\.config\\openstack",
      "C:\\ProgramData\\OpenStack\\openstack",
      "\\etc\\openstack",
    ]);
  });

  it("can be written as ~, with the system's own separator", () => {
    assert.equal(resolvePath("~/ca.pem", "/program", linux), "/home/me/ca.pem");
    assert.equal(resolvePath("~\\ca.pem", "C:\\program", windows), "C:\\Users\\me\\ca.pem");
    assert.equal(resolvePath("~/ca.pem", "C:\\program", windows), "C:\\Users\\me\\ca.pem");
    assert.equal(resolvePath("ca.pem", "C:\\program", windows), "C:\\program\\ca.pem");
  });
});

describe("Replacing a file", () => {
  const held = (times: number, code: string): typeof rename => {
    let left = times;
    return async (from, to) => {
      if (left-- > 0) throw Object.assign(new Error(`${code}: operation not permitted, rename`), { code });
      await rename(from, to);
    };
  };
  const [from, to] = ["from", "to"].map(name => join(tmpdir(), `replace-${name}`)) as [string, string];
  beforeEach(() => writeFile(from, "new"));
  afterEach(() => rm(to, { force: true }));

  it("waits on Windows for whoever holds it for a moment", async () => {
    for (const code of ["EPERM", "EACCES", "EBUSY"]) {
      await replaceFile(from, to, { platform: "win32", move: held(3, code) });
      await writeFile(from, "new");
    }
  });

  it("fails at once where waiting helps nothing", async () => {
    await assert.rejects(replaceFile(from, to, { platform: "linux", move: held(1, "EPERM") }), { code: "EPERM" });
    await assert.rejects(replaceFile(from, to, { platform: "win32", move: held(1, "ENOSPC") }), { code: "ENOSPC" });
  });
});

describe("A folder that is made", () => {
  it("may be in folders that aren't there, or be there already", async () => {
    const top = await mkdtemp(join(tmpdir(), "pulumi-images-folders-"));
    const folder = join(top, "a", "b");
    makeFolder(folder);
    makeFolder(folder);
    assert.equal((await stat(folder)).mode & 0o777, process.platform === "win32" ? 0o666 : 0o700);
    await writeFile(join(top, "file"), "");
    assert.throws(() => makeFolder(join(top, "file")), { code: "EEXIST" });
    await rm(top, { recursive: true });
  });

  it("in one that takes none is an error, and not tried for ever", function () {
    if (process.platform !== "linux") this.skip();
    assert.throws(() => makeFolder("/proc/none/there"), { code: "ENOENT" });
  });
});
