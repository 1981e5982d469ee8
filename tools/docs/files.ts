import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { driftsTable } from "./driftsTable.ts";
import { fieldsPage } from "./fieldsPage.ts";
import { functionsPage } from "./functionsPage.ts";
import { servicesTable } from "./servicesTable.ts";

const root = join(import.meta.dirname, "..", "..");

/** Every file that is written from the code, or holds a part that is, with the text that it has to have. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const readme = join(root, "README.md");
  const drift = join(root, "docs", "drift.md");
  return new Map([
    [readme, await withPart(readme, "services", servicesTable())],
    [drift, await withPart(drift, "drifts", driftsTable())],
    [join(root, "docs", "fields.md"), fieldsPage()],
    [join(root, "docs", "functions.md"), functionsPage()],
  ]);
}

/** A page with the part between the marks of this name as it has to be. */
async function withPart(file: string, name: string, part: string): Promise<string> {
  const [begin, end] = [`<!-- ${name}: written by npm run docs -->`, `<!-- /${name} -->`];
  const page = await readFile(file, "utf8");
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${basename(file)} has lost its lines ${begin} and ${end}.`);
  return `${page.slice(0, from)}${begin}\n\n${part}\n${page.slice(to)}`;
}
