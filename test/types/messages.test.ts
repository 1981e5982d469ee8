import assert from "node:assert/strict";
import { join } from "node:path";
import ts from "typescript";
import { mistakes } from "./mistakes.ts";

const folder = join(import.meta.dirname, "programs");

/** What the compiler says of each of some programs, by the sdk's sources: one run for all. */
function diagnosticsOf(programs: string[]): ts.Diagnostic[][] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    types: ["node"],
  };
  const imports = `import * as pulumi from "@pulumi/pulumi";
import { getImage, getImages, Image, ImageCopy, ImageMember, ImageTag } from "../../../sdk/index.ts";
declare const output: pulumi.Output<string>;
`;
  const texts = new Map(programs.map((text, index) => [join(folder, `${index}.ts`), imports + text]));
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = file => texts.has(file) || fileExists(file);
  host.getSourceFile = (file, version, ...rest) => {
    const text = texts.get(file);
    return text === undefined ? getSourceFile(file, version, ...rest) : ts.createSourceFile(file, text, version);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return [...texts.keys()].map(file => [...program.getSemanticDiagnostics(program.getSourceFile(file))]);
}

/** The names of the types of the services that a program doesn't use. */
function othersTypes(program: string): RegExp {
  const names: Record<string, string> = {
    ...{ openstack: "OpenStack", ecl: "Ecl", istack: "IStack", "glance-v1": "GlanceV1" },
    ...{ digitalocean: "DigitalOcean", divvycloud: "DivvyCloud" },
  };
  const others = Object.entries(names).filter(([service]) => !program.includes(`service: "${service}"`));
  return new RegExp(`\\b(${others.map(([, name]) => name).join("|")})\\w*(Args|Adopt)\\b`);
}

/** The compiler lists alternatives in the order in which it met them, in whatever program. */
function inOrder(text: string): string {
  return text.replaceAll(/[^\s{};]+( \| [^\s{};]+)+/g, list => list.split(" | ").sort().join(" | "));
}

describe("The compiler's message of a mistake", () => {
  let found: ts.Diagnostic[][];

  before(() => {
    found = diagnosticsOf(mistakes.map(({ program }) => program));
  });

  for (const [index, { mistake, program, at, says }] of mistakes.entries()) {
    it(`names the field and what is allowed: ${mistake}`, () => {
      const diagnostics = found[index] ?? [];
      assert.equal(diagnostics.length, 1, program);
      const { file, start = 0, length, messageText } = diagnostics[0] as ts.Diagnostic;
      const text = ts.flattenDiagnosticMessageText(messageText, "\n");
      assert.equal(file?.text.slice(start, start + (length ?? 0)), at ?? /, (\{.*\})\);?$/.exec(program)?.[1], text);
      // What it ends in is the reason.
      assert.equal(inOrder(text.split("\n").at(-1)?.trim() ?? ""), inOrder(says), text);
      assert.doesNotMatch(text, othersTypes(program));
    });
  }
});
