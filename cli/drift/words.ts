import { type DriftClass, driftClasses } from "./classify.ts";
import { type Change, type DriftReport, isDrifted, isPending, type ResourceReport } from "./report.ts";
import { shortened, valueText } from "./values.ts";

/** What every format says in the same words. */

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** "2 resources drifted (1 security, 1 metadata), 1 changed in the program." */
export function headline({ result, summary, problems }: DriftReport): string {
  if (result === "failed") return `The preview failed${problems.length > 1 ? ` with ${problems.length} errors` : ""}.`;
  const classes = driftClasses.filter(each => summary[each] > 0).map(each => `${summary[each]} ${each}`);
  const parts = [
    ...(summary.drifted > 0 ? [`${plural(summary.drifted, "resource")} drifted (${classes.join(", ")})`] : []),
    ...(summary.pending > 0
      ? [`${summary.drifted > 0 ? summary.pending : plural(summary.pending, "resource")} changed in the program`]
      : []),
  ];
  return parts.length === 0 ? `No drift in ${plural(summary.resources, "resource")}.` : `${parts.join(", ")}.`;
}

/** What `up` would do, as the end of "up would …". */
export const upWords: Record<ResourceReport["up"], string> = {
  nothing: "change nothing",
  update: "update it in place",
  replace: "replace it",
  create: "create it",
  "create again": "create it again",
  delete: "delete it",
  forget: "forget it",
};

/** The resources that there is something to say of. */
export function telling(report: DriftReport): ResourceReport[] {
  return report.resources.filter(resource => isDrifted(resource) || isPending(resource) || resource.notes.length > 0);
}

/** A resource's classes, or that it is pending. */
export function standing(resource: ResourceReport): (DriftClass | "pending" | "ok")[] {
  if (resource.classes.length > 0) return [...resource.classes, ...(isPending(resource) ? ["pending" as const] : [])];
  return isPending(resource) ? ["pending"] : ["ok"];
}

/** A dot between names; a name with a dot in it, or with nothing, is quoted. */
export function pathText(path: readonly string[]): string {
  return path.map((name, at) => (at > 0 && /[.\s"]|^$/.test(name) ? JSON.stringify(name) : name)).join(".");
}

/** One side of a change on one line. Of two lists, what only this one has comes first, so that no cut hides it. */
export function sideText(change: Change, side: "old" | "new", length: number): string {
  const value = change[side];
  if (!Array.isArray(value)) return shortened(valueText(value), length);
  if (value.length === 0) return "none";
  const other = change[side === "old" ? "new" : "old"];
  const elsewhere = new Set(Array.isArray(other) ? other.map(valueText) : []);
  const texts = value.map(valueText);
  const ordered = [...texts.filter(text => !elsewhere.has(text)), ...texts.filter(text => elsewhere.has(text))];
  return shortened(ordered.join(", "), length);
}

/** What happened to a thing as a whole, where no field says it. */
export function wholeText(resource: ResourceReport): string | undefined {
  if (resource.gone) return resource.up === "forget" ? "is gone, and no longer declared" : "is gone";
  if (resource.up === "create") return "is new in the program";
  if (resource.up === "delete") return "is no longer in the program";
  return undefined;
}
