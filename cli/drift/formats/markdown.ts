import type { DriftClass } from "../classify.ts";
import type { Change, DriftReport, ResourceReport } from "../report.ts";
import { oneLine, shortened } from "../values.ts";
import { headline, pathText, plural, sideText, standing, telling, upWords, wholeText } from "../words.ts";

/** GitHub's limit of a comment, in characters; GitLab's is larger. */
export const longestComment = 65_536;

const longest = { name: 80, value: 200, problem: 600 };
const signs: Record<DriftClass | "pending" | "ok", string> = {
  security: "🔴",
  availability: "🟠",
  metadata: "🔵",
  pending: "✏️",
  ok: "✅",
};

/**
 * A comment for a pull request. It says nothing of when it was written, so that the same findings give the same text.
 * @param limit how long it may be; what doesn't fit is counted instead
 */
export function markdownText(report: DriftReport, limit = longestComment): string {
  const head = [
    marker(report),
    `### ${sign(report)} Images: ${code(`${report.project}/${report.stack}`)}`,
    "",
    headline(report),
    "",
  ];
  for (const problem of report.problems) head.push(`> ${code(shortened(problem, longest.problem))}`, "");
  const folds = telling(report).map(fold);
  const others = othersLine(report);
  const foot = others === undefined ? [] : ["", others];
  return fitted(head, folds, foot, limit);
}

/** By this a comment is found again. Several stacks have one each. */
export function marker({ project, stack }: Pick<DriftReport, "project" | "stack">): string {
  // No two dashes in a row in a comment of HTML, and no other sign of it.
  const name = `${encodeURIComponent(project)}/${encodeURIComponent(stack)}`.replaceAll("--", "-%2D");
  return `<!-- pulumi-images drift ${name.replaceAll("--", "-%2D")} -->`;
}

function fitted(head: readonly string[], folds: readonly string[], foot: readonly string[], limit: number): string {
  const whole = [...head, ...folds, ...foot, ""].join("\n");
  if (whole.length <= limit) return whole;
  for (let count = folds.length - 1; count > 0; count--) {
    const text = [...head, ...folds.slice(0, count), "", cutLine(folds.length - count), ...foot, ""].join("\n");
    if (text.length <= limit) return text;
  }
  return [...head, cutLine(folds.length), ""].join("\n").slice(0, limit);
}

function cutLine(count: number): string {
  return `_${plural(count, "more resource is", "more resources are")} left out, as a comment can't be longer: the other reports of this run have all._`;
}

function sign({ result, resources }: DriftReport): string {
  if (result === "failed") return "❌";
  const [worst] = resources[0] === undefined ? [] : standing(resources[0]);
  return signs[worst ?? "ok"];
}

function fold(resource: ResourceReport): string {
  const { kind, name, connection, target, up, id } = resource;
  const where = target === undefined ? code(connection) : `${code(connection)} → ${code(target)}`;
  const what = standing(resource)
    .map(each => `${signs[each]} ${each}`)
    .join(" ");
  const whole = wholeText(resource);
  const told = whole ?? `up would ${upWords[up]}`;
  return [
    `<details><summary>${what} <b>${kind}</b> ${code(name)} on ${where}: ${told}</summary>`,
    "",
    ...table("Drift", "state", "now", resource.drift),
    ...table("Change of the program", "state", "program", resource.pending),
    ...resource.notes.map(note => `- ${code(note)}`),
    `- up would ${upWords[up]}`,
    `- ${code(resource.urn)}${id === "" ? "" : `, id ${code(id)}`}`,
    "",
    "</details>",
  ].join("\n");
}

function table(title: string, old: string, now: string, changes: readonly Change[]): string[] {
  if (changes.length === 0) return [];
  const rows = changes.map(change => {
    const means =
      change.classes.length === 0 ? "" : ` (${change.classes.join(", ")}${change.at === "source" ? ", source" : ""})`;
    return `| ${code(pathText(change.path))}${means} | ${side(change, "old")} | ${side(change, "new")} |`;
  });
  return [`| ${title} | ${old} | ${now} |`, "| --- | --- | --- |", ...rows, ""];
}

function side(change: Change, which: "old" | "new"): string {
  return change[which] === undefined ? "–" : code(sideText(change, which, longest.value));
}

function othersLine({ others }: DriftReport): string | undefined {
  const counts = Object.entries(others).map(([op, count]) => `${count} ${op}`);
  return counts.length === 0 ? undefined : `Resources of other packages: ${counts.sort().join(", ")}.`;
}

/**
 * A text as it is, whatever Markdown, HTML, or GitHub (mentions, issue numbers, links) would make of it: each sign that could mean something
 * is written as a reference.
 */
export function code(text: string): string {
  const shown = shortened(oneLine(text), 4 * longest.value).replace(
    /[^\p{L}\p{N} ,./-]|(?<=www)\./giu,
    sign => `&#${sign.codePointAt(0)};`,
  );
  return `<code>${shown}</code>`;
}
