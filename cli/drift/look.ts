import { resolveConnection } from "../../provider/connection.ts";
import { redact, registerSecret } from "../../provider/redaction.ts";
import { allConnections } from "../chosen.ts";
import type { StackConfig } from "../stackConfig.ts";
import { version } from "../version.ts";
import { hiddenChanges, resourcesOf, resultOf, summaryOf } from "./findings.ts";
import type { Previewed } from "./preview.ts";
import type { DriftReport } from "./report.ts";
import { sightingOf } from "./steps.ts";

/**
 * Looks at a stack by one preview with refresh, and one without where a secret differs, to tell whose change it is.
 * @param secretsHidden settles when every secret is unprintable: what was seen isn't looked at before
 */
export async function lookAt(
  stack: Previewed,
  secretsHidden: Promise<void>,
  signal: AbortSignal,
): Promise<DriftReport> {
  const [{ events, failure }] = await Promise.all([stack.preview({ refresh: true, signal }), secretsHidden]);
  const sighting = sightingOf(events);
  let resources = resourcesOf(sighting);
  if (failure === undefined && hiddenChanges(resources).length > 0) {
    const plain = sightingOf((await stack.preview({ refresh: false, signal })).events);
    resources = resourcesOf(sighting, new Map([...plain.seen.values()].map(({ urn, op }) => [urn, op])));
  }
  const summary = summaryOf(resources);
  const problems = failure === undefined || sighting.problems.length > 0 ? sighting.problems : [redact(failure)];
  return {
    version: 1,
    generator: `pulumi-images ${version()}`,
    createdAt: new Date().toISOString(),
    project: redact(stack.project),
    stack: redact(stack.stack),
    result: resultOf(summary, failure !== undefined),
    summary,
    resources,
    others: sighting.others,
    problems: failure === undefined ? [] : problems,
  };
}

/** Makes all that the stack's connections and configuration keep secret unprintable, wherever it may turn up. */
export function hideSecrets(config: StackConfig, cwd: string): void {
  for (const secret of config.secrets) registerSecret(secret);
  for (const { name, service } of allConnections(config.reader, process.env, cwd)) {
    try {
      // Reading a connection's settings registers its secrets.
      resolveConnection(service, name === service ? undefined : name, config.reader, process.env, cwd);
    } catch {
      // An incomplete one has none to hide, or the preview says what is wrong with it.
    }
  }
}
