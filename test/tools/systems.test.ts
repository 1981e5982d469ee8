import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { executableName, npmCommand } from "../../tools/command.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..", "..");

/** What of a clone on Windows can be seen on another system. */
describe("A clone on Windows", () => {
  it("has npm scripts that its shell understands", async () => {
    const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [name, script] of Object.entries(scripts)) {
      // A single quote within double quotes is JavaScript's.
      assert.doesNotMatch(script.replace(/"[^"]*"/g, ""), /'|(^|&& *)\w+=\S+ /, `npm run ${name}`);
    }
  });

  it("has files with the line ends that the formatter wants, and no symbolic links", async () => {
    const attributes = await readFile(join(root, ".gitattributes"), "utf8");
    assert.match(attributes, /^\* text=auto eol=lf$/m);
    const { stdout } = await run("git", ["ls-files", "--stage"], { cwd: root, maxBuffer: 2 ** 26 });
    assert.deepEqual(
      stdout.split("\n").filter(line => line.startsWith("120000")),
      [],
    );
  });

  it("starts programs by the names that they have there", () => {
    assert.equal(executableName("pulumi", "win32"), "pulumi.exe");
    assert.equal(executableName("pulumi", "linux"), "pulumi");
    assert.deepEqual(npmCommand(["ci"], "win32"), ["cmd.exe", ["/d", "/c", "npm", "ci"]]);
    assert.deepEqual(npmCommand(["ci"], "darwin"), ["npm", ["ci"]]);
  });
});
