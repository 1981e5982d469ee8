import { driftClasses } from "./classify.ts";
import type { DriftReport } from "./report.ts";

/** How `pulumi-images drift` ends; everything that isn't about what was found is "failed". docs/drift.md has them for people. */
export const driftExitCodes = { none: 0, failed: 1, drift: 2, pending: 3 } as const;

/** What --fail-on can name. */
export const failOnChoices = [...driftClasses, "drift", "pending", "any", "none"] as const;
export type FailOn = (typeof failOnChoices)[number];

/**
 * The exit code. Without --fail-on, whatever was found has its code. With it, only what it names has: `security` is 2 where a drift of that class
 * was found, `pending` is 3 where nothing of a named class was, and all else is 0. A failure is always 1.
 */
export function exitCodeOf(report: DriftReport, failOn: readonly FailOn[] = ["any"]): number {
  if (report.result === "failed") return driftExitCodes.failed;
  const wants = (one: FailOn) => failOn.includes(one) || (failOn.includes("any") && one !== "none");
  const { summary } = report;
  const drifted = wants("drift") ? summary.drifted > 0 : driftClasses.some(each => wants(each) && summary[each] > 0);
  if (drifted) return driftExitCodes.drift;
  return wants("pending") && summary.pending > 0 ? driftExitCodes.pending : driftExitCodes.none;
}
