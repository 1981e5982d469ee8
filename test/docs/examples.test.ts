import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";
import { allPages, type Block, blocksOf, docstringExamples, root } from "./pages.ts";

/** Compiles programs as a project of a user's would, against the sdk as it is; nothing is written. @returns what is wrong with them */
function problemsIn(programs: Map<string, string>): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ["node"],
    paths: { "pulumi-images": [join(root, "sdk", "index.ts")] },
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = file => programs.get(file) ?? readFile(file);
  host.fileExists = file => programs.has(file) || fileExists(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = programs.get(file);
    return text === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version);
  };
  const program = ts.createProgram([...programs.keys()], options, host);
  // Of the examples only: the sdk itself is npm run typecheck's.
  const own = [...programs.keys()].flatMap(file => program.getSourceFile(file) ?? []);
  const found = own.flatMap(file => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  return found.map(({ file, start, messageText }) => {
    const line = file === undefined || start === undefined ? "" : file.getLineAndCharacterOfPosition(start).line + 1;
    return `${file?.fileName}:${line} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

describe("Examples in the documentation", () => {
  let blocks: Block[];

  before(async () => {
    blocks = (await allPages()).flatMap(blocksOf);
  });

  it("compile", async function () {
    this.timeout(60_000);
    const docstrings = await docstringExamples();
    assert.ok(docstrings.length >= 7, "each class has an example");
    const programs = [...blocks, ...docstrings]
      // These have types that stand for themselves, and the docstrings' examples.
      .filter(({ language, page }) => language === "ts" && !["docs/fields.md", "docs/functions.md"].includes(page))
      .map(({ text, page, line }) => [join(root, `${page}.${line}.ts`), text] as const);
    assert.ok(programs.length >= 9, "the examples are there");
    assert.deepEqual(problemsIn(new Map(programs)), []);
  });

  it("are held to the sdk's types", function () {
    this.timeout(60_000);
    const wrong = `import { Image } from "pulumi-images";\nnew Image("x", { service: "openstack", minDisc: 1 });\n`;
    assert.match(problemsIn(new Map([[join(root, "wrong.ts"), wrong]])).join("\n"), /wrong\.ts:2 .*minDisc/);
  });

  it("are of the quickstart as it is", async () => {
    const program = await readFile(join(root, "examples", "quickstart", "index.ts"), "utf8");
    assert.ok(
      blocks.some(({ page, text }) => page === "README.md" && text === program),
      "the README has another program",
    );
  });

  it("run scripts that there are", async () => {
    const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const named = (await allPages()).flatMap(({ path, text }) =>
      [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => ({ path, script: script as string })),
    );
    assert.ok(named.length > 10);
    assert.deepEqual(
      named.filter(({ script }) => scripts[script] === undefined),
      [],
    );
  });
});
