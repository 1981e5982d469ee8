import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fieldsPage } from "./fieldsPage.ts";
import { functionsPage } from "./functionsPage.ts";
import { servicesTable } from "./servicesTable.ts";

const root = join(import.meta.dirname, "..", "..");
const begin = "<!-- services: written by npm run docs -->";
const end = "<!-- /services -->";

/** Every file that is written from the code, or holds a part that is, with the text that it has to have. */
export async function generatedFiles(): Promise<Map<string, string>> {
  const readme = join(root, "README.md");
  return new Map([
    [readme, withPart(await readFile(readme, "utf8"), servicesTable())],
    [join(root, "docs", "fields.md"), fieldsPage()],
    [join(root, "docs", "functions.md"), functionsPage()],
  ]);
}

function withPart(page: string, part: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`README.md has lost its lines ${begin} and ${end}.`);
  return `${page.slice(0, from)}${begin}\n\n${part}\n${page.slice(to)}`;
}
