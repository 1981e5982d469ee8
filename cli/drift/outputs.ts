import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { ImagesError } from "../../provider/errors.ts";
import { htmlText } from "./formats/html.ts";
import { junitText } from "./formats/junit.ts";
import { markdownText } from "./formats/markdown.ts";
import { sarifText } from "./formats/sarif.ts";
import type { DriftReport } from "./report.ts";

export const formats = ["markdown", "json", "junit", "sarif", "html"] as const;
export type Format = (typeof formats)[number];

/** Where each report goes: a file's path, or "-" for standard output. */
export type Destinations = Partial<Record<Format, string>>;

/** What wants standard output, for which there is room for one. @throws ImagesError "invalid" where several do */
export function onStandardOutput(destinations: Destinations): Format | undefined {
  const [first, ...others] = formats.filter(format => destinations[format] === "-");
  if (others.length === 0) return first;
  throw new ImagesError(
    "invalid",
    `only one report can go to standard output, not ${[first, ...others].join(" and ")}`,
    {
      hint: "Write the others to files",
    },
  );
}

/**
 * Writes each report that is asked for.
 * @param folder the stack's, whose Pulumi project a SARIF result points to
 */
export async function writeReports(report: DriftReport, destinations: Destinations, folder: string): Promise<void> {
  for (const format of formats) {
    const destination = destinations[format];
    if (destination === undefined) continue;
    const text = textOf(report, format, folder);
    if (destination === "-") process.stdout.write(text);
    else await writeText(destination, text);
  }
}

async function writeText(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new ImagesError("configuration", `${file} can't be written: ${(error as Error).message}`, { cause: error });
  }
}

function textOf(report: DriftReport, format: Format, folder: string): string {
  switch (format) {
    case "markdown":
      return markdownText(report);
    case "json":
      return `${JSON.stringify(report, undefined, 2)}\n`;
    case "junit":
      return junitText(report);
    case "sarif":
      return sarifText(report, projectFile(folder));
    case "html":
      return htmlText(report);
  }
}

/** The project's file as a URI reference from its repository's root: what code scanning services want. */
function projectFile(folder: string): string {
  const project = resolve(folder);
  const file =
    ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"].find(name => existsSync(join(project, name))) ?? "Pulumi.yaml";
  const path = relative(repositoryOf(project) ?? project, join(project, file));
  return path.split(sep).map(encodeURIComponent).join("/");
}

function repositoryOf(folder: string): string | undefined {
  if (existsSync(join(folder, ".git"))) return folder;
  return dirname(folder) === folder ? undefined : repositoryOf(dirname(folder));
}
