import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

export const root = join(import.meta.dirname, "..", "..");

/** A page of the documentation. */
export interface Page {
  /** Path below the root. */
  path: string;
  text: string;
}

/** A fenced block of a page. */
export interface Block {
  language: string;
  text: string;
  /** The page, and the line where its text begins. */
  page: string;
  line: number;
}

/** All pages that are for people. */
export async function allPages(): Promise<Page[]> {
  const below = async (folder: string) =>
    (await readdir(join(root, folder))).filter(name => name.endsWith(".md")).map(name => join(root, folder, name));
  const examples = (await readdir(join(root, "examples"), { withFileTypes: true }))
    .filter(entry => entry.isDirectory())
    .map(({ name }) => join(root, "examples", name, "README.md"));
  const files = [...(await below(".")), ...(await below("docs")), ...examples];
  return Promise.all(files.map(async file => ({ path: relative(root, file), text: await readFile(file, "utf8") })));
}

/** The fenced blocks of a page, in their order. */
export function blocksOf({ path, text }: Page): Block[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(match => ({
    language: match[1] ?? "",
    text: match[2] ?? "",
    page: path,
    line: text.slice(0, match.index).split("\n").length + 1,
  }));
}

/** The examples in the sdk's docstrings, as whole programs: what an example leaves out is what its reader has already. */
export async function docstringExamples(): Promise<Block[]> {
  const files = (await readdir(join(root, "sdk"), { recursive: true })).filter(name => name.endsWith(".ts"));
  const pages = files.map(async file => ({
    path: `sdk/${file}`,
    text: (await readFile(join(root, "sdk", file), "utf8")).replaceAll(/^ *\* ?/gm, ""),
  }));
  return (await Promise.all(pages)).flatMap(blocksOf).map(block => ({ ...block, text: completed(block.text) }));
}

function completed(example: string): string {
  const used = new Set([
    "Image",
    ...[...example.matchAll(/\b(Image\w*|get\w+|downloadImage\w*)\(/g)].map(([, name]) => name),
  ]);
  const ubuntu = /\bconst ubuntu\b/.test(example) ? "" : "declare const ubuntu: Image;\n";
  return `import { ${[...used].join(", ")} } from "pulumi-images";\n${ubuntu}${example}`;
}
