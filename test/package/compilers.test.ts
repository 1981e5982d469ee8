import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type TypeScript from "typescript";
import { fromRegistry } from "./fromRegistry.ts";
import { pack } from "./installed.ts";
import { root } from "./shipped.ts";

const require = createRequire(import.meta.url);
const vendored = require.resolve("@pulumi/pulumi/vendor/typescript@3.8.3/typescript.js");
const ours = require.resolve("typescript");

/** The oldest TypeScript that Pulumi's SDK takes, which it brings along; those in which the rules for modules changed; and the newest. */
const compilers: Record<string, { at?: string; modules: Record<string, object> }> = {
  "3.8.3": { at: vendored, modules: { commonjs: { module: "commonjs", moduleResolution: "node" } } },
  "4.7.4": { modules: { commonjs: { module: "node16" }, module: { module: "node16" } } },
  "5.7.3": { modules: { commonjs: { module: "nodenext" }, module: { module: "nodenext" } } },
  [require("typescript").version]: {
    at: ours,
    modules: { commonjs: { module: "nodenext" }, module: { module: "nodenext" } },
  },
};

const good = `import { getImages, Image, ImageCopy, ImageLookup, ImageMember, ImageTag } from "pulumi-images";
const where: ImageLookup<"openstack"> = { service: "openstack" };
const image = new Image("x", { service: "openstack", name: "x", source: { file: "disk.raw" } });
export const hash = image.hashValue.apply(value => value);
new ImageTag("x", { service: "openstack", imageId: image.id, tag: "x" });
new ImageMember("x", { service: "glance-v1", imageId: image.id, member: "x" });
new ImageCopy("x", { service: "openstack", imageId: image.id, to: { stores: ["slow"] } });
export const images = getImages({ service: "openstack", sort: ["name:desc"] }).then(found => found.map(({ hashValue }) => hashValue));
export const read = Image.get("x", "id", where).status;
`;
/** Each line a mistake: a compiler that understood nothing would find none. */
const bad = `import { getImages, Image, ImageTag } from "pulumi-images";
new Image("x", { service: "openstack", name: "x", regions: ["nyc3"] });
new Image("x", { service: "ecl", name: "x", visibility: "community" });
new Image("x", { name: "x" });
new ImageTag("x", { service: "openstack", imageId: "x" });
getImages({ service: "openstack", sort: ["nmae"] });
export const slug = new Image("x", { service: "openstack", name: "x" }).slug;
`;

describe("The package's types", () => {
  let dir: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-types-"));
    const { tarball } = await pack(dir);
    const installed = join(dir, "node_modules", "pulumi-images");
    await mkdir(installed, { recursive: true });
    await promisify(execFile)("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
    for (const name of ["@pulumi", "@types"])
      await symlink(join(root, "node_modules", name), join(dir, "node_modules", name));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  for (const [version, { at, modules }] of Object.entries(compilers)) {
    it(`are those of the sources to TypeScript ${version}`, async function () {
      const got = at ? { folder: "" } : await fromRegistry({ typescript: `typescript@${version}` });
      if ("missing" in got) {
        if (this.test) this.test.title += `: not tried, ${got.missing}`;
        this.skip();
      }
      const compiler = at ?? join(got.folder, "node_modules", "typescript");
      for (const [type, module] of Object.entries(modules)) {
        const program = join(dir, `${version}-${type}`);
        const compilerOptions = { strict: true, noEmit: true, target: "es2019", lib: ["es2020"], types: [], ...module };
        await mkdir(program);
        await writeFile(join(program, "package.json"), JSON.stringify({ type }));
        await writeFile(
          join(program, "tsconfig.json"),
          JSON.stringify({ compilerOptions, files: ["good.ts", "bad.ts"] }),
        );
        await writeFile(join(program, "good.ts"), good);
        await writeFile(join(program, "bad.ts"), bad);
        const { said, places } = compile(require(compiler), program);
        const wanted = [2, 3, 4, 5, 6, 7].map(line => `${join(program, "bad.ts")}:${line}`);
        assert.deepEqual(places, wanted, said);
      }
    });
  }
});

/** What a compiler says of a program and of this package's types, and where; what is wrong with other packages' under an old one is theirs. */
function compile(ts: typeof TypeScript, folder: string): { said: string; places: string[] } {
  const { config } = ts.readConfigFile(join(folder, "tsconfig.json"), ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  const program = ts.createProgram(fileNames, options);
  const files = program.getSourceFiles().filter(({ fileName }) => !/node_modules\/(?!pulumi-images)/.test(fileName));
  const diagnostics = [
    ...program.getGlobalDiagnostics(),
    ...files.flatMap(file => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  const places = diagnostics.map(({ file, start = 0 }) =>
    file === undefined ? "nowhere" : `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1}`,
  );
  return { said: diagnostics.map(one => ts.flattenDiagnosticMessageText(one.messageText, "\n")).join("\n"), places };
}
