import { createHash } from "node:crypto";
import type { Log, Result, Run } from "sarif";
import { version } from "../../version.ts";
import { type DriftClass, driftClasses } from "../classify.ts";
import { type Change, type DriftReport, isPending, type ResourceReport } from "../report.ts";
import { pathText, sideText, upWords, wholeText } from "../words.ts";

type Rule = DriftClass | "pending";

/** What each rule says in a code scanning service. `security-severity` is GitHub's, 0 to 10. */
const rules: Record<Rule, { level: "error" | "warning" | "note"; name: string; text: string; severity?: string }> = {
  security: {
    level: "error",
    name: "SecurityDrift",
    text: "Who may use an image, or what is in it, isn't as declared",
    severity: "8.0",
  },
  availability: {
    level: "error",
    name: "AvailabilityDrift",
    text: "An image isn't there, or can't be used, as declared",
  },
  metadata: { level: "warning", name: "MetadataDrift", text: "What describes an image isn't as declared" },
  pending: { level: "note", name: "PendingChange", text: "The program says otherwise than the state" },
};

const longest = 200;

/**
 * SARIF 2.1.0, a result for each resource and class. A result's place is the Pulumi project's file, as the engine doesn't say in which line a resource
 * is declared.
 * @param file the project's file, relative to the repository's root
 */
export function sarifText(report: DriftReport, file: string): string {
  const ids = [...driftClasses, "pending"] as const;
  const run: Run = {
    tool: {
      driver: {
        name: "pulumi-images drift",
        version: version(),
        rules: ids.map(id => ({
          id,
          name: rules[id].name,
          shortDescription: { text: rules[id].text },
          defaultConfiguration: { level: rules[id].level },
          properties: {
            tags: ["drift"],
            ...(rules[id].severity === undefined ? {} : { "security-severity": rules[id].severity }),
          },
        })),
      },
    },
    automationDetails: { id: `pulumi-images-drift/${report.project}/${report.stack}/` },
    columnKind: "utf16CodeUnits",
    invocations: [
      {
        executionSuccessful: report.result !== "failed",
        toolExecutionNotifications: report.problems.map(text => ({ level: "error" as const, message: { text } })),
      },
    ],
    results: report.resources.flatMap(resource =>
      ids.filter(id => applies(id, resource)).map(id => result(id, ids.indexOf(id), resource, file)),
    ),
  };
  const log: Log = { $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

function applies(rule: Rule, resource: ResourceReport): boolean {
  return rule === "pending" ? isPending(resource) : resource.classes.includes(rule);
}

function result(ruleId: Rule, ruleIndex: number, resource: ResourceReport, uri: string): Result {
  const { urn, kind, name, connection, up } = resource;
  const changes =
    ruleId === "pending" ? resource.pending : resource.drift.filter(({ classes }) => classes.includes(ruleId));
  const said = [...[wholeText(resource)].filter(whole => whole !== undefined), ...changes.map(changeText)].join("; ");
  return {
    ruleId,
    ruleIndex,
    level: rules[ruleId].level,
    message: { text: `${kind} ${name} on ${connection}: ${said}. up would ${upWords[up]}.` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri, uriBaseId: "%SRCROOT%" }, region: { startLine: 1 } },
        logicalLocations: [{ name, fullyQualifiedName: urn, kind: "resource" }],
      },
    ],
    // The same finding of the next run, whatever its values.
    partialFingerprints: { "pulumiImagesDrift/v1": createHash("sha256").update(`${ruleId} ${urn}`).digest("hex") },
  };
}

function changeText(change: Change): string {
  return `${pathText(change.path)} ${sideText(change, "old", longest)} → ${sideText(change, "new", longest)}`;
}
