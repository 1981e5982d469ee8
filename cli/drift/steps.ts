import type { EngineEvent, StepEventMetadata, StepEventStateMetadata } from "@pulumi/pulumi/automation/index.js";
import { type Kind, kinds } from "../../provider/fields/field.ts";
import { redact } from "../../provider/redaction.ts";

/** A resource of this package as a preview with refresh sees it. */
export interface Seen {
  urn: string;
  kind: Kind;
  /** As the state has it; undefined where it isn't in there. */
  before?: StepEventStateMetadata;
  /** As the service says it is; undefined where it isn't there. */
  after?: StepEventStateMetadata;
  /** As the program wants it; undefined where it doesn't declare it. */
  wanted?: StepEventStateMetadata;
  /** The engine's word for what it would do; undefined where nothing is left to do. */
  op?: string;
  /** What the provider warned of. */
  warnings?: string[];
}

export interface Sighting {
  seen: Map<string, Seen>;
  /** Of other packages' resources, how many the engine would change, by its word for it. */
  others: Record<string, number>;
  problems: string[];
}

const prefix = "pulumi-nodejs:dynamic/images:";

/** Reads the events of a preview. Source: pulumi/pulumi sdk/go/common/apitype/events.go. */
export function sightingOf(events: readonly EngineEvent[]): Sighting {
  const seen = new Map<string, Seen>();
  const others: Record<string, number> = {};
  const problems = new Set<string>();
  const warnings: { urn: string; text: string }[] = [];
  for (const event of events) {
    const { diagnosticEvent: diagnostic } = event;
    if (diagnostic?.severity === "error") problems.add(problemText(diagnostic.urn, diagnostic.message));
    if (diagnostic?.severity === "warning" && diagnostic.urn) {
      warnings.push({ urn: diagnostic.urn, text: messageText(diagnostic.message) });
    }
    // What a refresh found is in its outputs event; what a step would do is known before.
    const refreshed = event.resOutputsEvent?.metadata;
    if (refreshed?.op === "refresh") noteRefresh(seen, refreshed);
    const step = event.resourcePreEvent?.metadata;
    if (step !== undefined && step.op !== "refresh") noteStep(seen, others, step);
  }
  for (const { urn, text } of warnings) {
    const known = seen.get(urn);
    if (known !== undefined) known.warnings = [...new Set([...(known.warnings ?? []), text])];
  }
  return { seen, others, problems: [...problems] };
}

function noteRefresh(seen: Map<string, Seen>, { urn, type, old, new: now }: StepEventMetadata): void {
  const kind = kindOf(type);
  // What a replacement left to be deleted isn't what the resource is any more.
  if (kind === undefined || old?.delete) return;
  seen.set(urn, { urn, kind, ...(old ? { before: old } : {}), ...(now ? { after: now } : {}) });
}

function noteStep(seen: Map<string, Seen>, others: Record<string, number>, step: StepEventMetadata): void {
  const { urn, type, op, new: now } = step;
  // A replacement has three steps; "replace" is the one that says so.
  if (op === "create-replacement" || op === "delete-replaced") return;
  const kind = kindOf(type);
  if (kind === undefined) {
    if (op !== "same" && op !== "read") others[op] = (others[op] ?? 0) + 1;
    return;
  }
  const known = seen.get(urn) ?? { urn, kind };
  seen.set(urn, { ...known, op, ...(now ? { wanted: now } : {}) });
}

function kindOf(type: string): Kind | undefined {
  return kinds.find(kind => type === `${prefix}${kind}`);
}

function problemText(urn: string | undefined, message: string): string {
  const name = urn === undefined || urn === "" ? "" : `${nameOf(urn)}: `;
  return redact(`${name}${messageText(message)}`);
}

/** Without the engine's marks for colours. */
function messageText(message: string): string {
  return redact(message.replace(/<\{%\w*%\}>/g, "").trim());
}

/** The resource's name in the program. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
