import { appendFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CloudKind } from "./cloud.ts";
import type { Point, Victim } from "./kill.ts";

/** A resource that was at a request when a run was killed, and what came of the repeat. A line of the log. */
export interface Tried extends Point {
  /** YYYY-MM-DD */
  date: string;
  cloud: CloudKind;
  service: string;
  kind: string;
  verb: string;
  /** `METHOD /path` */
  at: string;
  /** All was as declared after the repeat. */
  converged: boolean;
  /** A person had to do something first, as the repeat's error said. */
  byHand?: boolean;
  /** A finished image stays that no state has, and that a warning of the repeat names. */
  orphan?: boolean;
}

const verbs = ["create", "update", "replace", "delete"];
const victims: Victim[] = ["engine", "provider", "cloud", "Ctrl-C"];

/** Adds to a log, so that a matrix can be run in pieces. */
export function note(file: string, tried: readonly Tried[]): void {
  appendFileSync(file, tried.map(one => `${JSON.stringify(one)}\n`).join(""));
}

export async function noted(file: string): Promise<Tried[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .filter(line => line !== "")
    .map(line => JSON.parse(line) as Tried);
}

/** How many points were tried, by service, kind, verb and victim, as a Markdown table. */
export function table(all: readonly Tried[]): string {
  const met = victims.filter(victim => all.some(one => one.victim === victim));
  const placeOf = ({ service, kind, cloud }: Tried) => `${service}${cloud === "real" ? ", real" : ""} ${kind}`;
  const count = (some: readonly Tried[]) => met.map(victim => some.filter(one => one.victim === victim).length);
  const cell = (some: readonly Tried[]) => (some.length === 0 ? "–" : count(some).join(" / "));
  const rows = [...new Set(all.map(placeOf))].map(place => {
    const here = all.filter(one => placeOf(one) === place);
    return [place, ...verbs.map(verb => cell(here.filter(one => one.verb === verb))), String(here.length)];
  });
  const sums = ["all", ...verbs.map(verb => cell(all.filter(one => one.verb === verb))), String(all.length)];
  const head = [met.join(" / "), ...verbs, "all"];
  const dashes = head.map((_, n) => (n === 0 ? "---" : "---:"));
  return [head, dashes, ...rows, sums].map(cells => `| ${cells.join(" | ")} |`).join("\n");
}

const begin = "<!-- The kill matrix's figures: npm run killmatrix -- --write -->";
const end = "<!-- end -->";
const page = join(import.meta.dirname, "..", "..", "..", "docs", "reliability.md");

/** Puts a log's figures into docs/reliability.md. */
export async function writeFigures(all: readonly Tried[]): Promise<void> {
  const text = await readFile(page, "utf8");
  const at = text.indexOf(begin);
  const until = text.indexOf(end, at);
  if (at < 0 || until < 0) throw new Error(`${page} has no place for the figures`);
  await writeFile(page, `${text.slice(0, at)}${begin}\n${figures(all)}\n${text.slice(until)}`);
}

function figures(all: readonly Tried[]): string {
  const dates = [...new Set(all.map(({ date }) => date))].sort();
  const failed = all.filter(({ converged }) => !converged);
  const count = all.length.toLocaleString("en");
  const byHand = all.filter(one => one.byHand).length;
  const helped =
    byHand === 0 ? "" : `, ${byHand} of them after an offer of DigitalOcean's was cancelled by hand, as the error said`;
  const orphans = all.filter(one => one.orphan).length;
  const named =
    orphans === 0
      ? ""
      : ` At ${orphans} of them the run had finished an image that it couldn't record: it stays, and a warning named it.`;
  return [
    `${count} points were tried (${dates.join(", ")}), ${all.filter(({ cloud }) => cloud === "real").length.toLocaleString("en")} of them on the real Glance; ${failed.length === 0 ? "all" : `all but ${failed.length}`} ended as declared${helped}.${named} The numbers of each field are those of the victims, in the order of the first column's title.`,
    "",
    table(all),
  ].join("\n");
}
