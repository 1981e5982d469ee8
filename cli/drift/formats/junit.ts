import { type DriftReport, isDrifted, isPending, type ResourceReport } from "../report.ts";
import { compare } from "../values.ts";
import { pathText, sideText, upWords, wholeText } from "../words.ts";
import { escaped } from "./xml.ts";

const longest = 500;

/**
 * JUnit's XML, a suite for each connection and a case for each resource: a drift is a failure, a change of the program a skipped case, a preview that
 * failed an error.
 */
export function junitText(report: DriftReport): string {
  const { project, stack, resources, problems } = report;
  const connections = [...new Set(resources.map(({ connection }) => connection))].sort(compare);
  const suites = connections.map(connection => {
    const own = resources.filter(resource => resource.connection === connection);
    return element("testsuite", counts(connection, own), own.map(testcase));
  });
  if (report.result === "failed") suites.unshift(failedSuite(problems));
  const errors = report.result === "failed" ? 1 : 0;
  const all = { ...counts(`pulumi-images drift ${project}/${stack}`, resources), errors };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element("testsuites", { ...all, tests: all.tests + errors }, suites)}\n`;
}

function counts(name: string, resources: readonly ResourceReport[]) {
  const failures = resources.filter(isDrifted).length;
  const skipped = resources.filter(resource => !isDrifted(resource) && isPending(resource)).length;
  return { name, tests: resources.length, failures, errors: 0, skipped, time: 0 };
}

function testcase(resource: ResourceReport): string {
  const attributes = { name: resource.name, classname: `${resource.service}.${resource.kind}`, time: 0 };
  const text = [
    ...[wholeText(resource)].filter(whole => whole !== undefined),
    ...[...resource.drift, ...resource.pending].map(
      change => `${pathText(change.path)}: ${sideText(change, "old", longest)} → ${sideText(change, "new", longest)}`,
    ),
    ...resource.notes,
    `up would ${upWords[resource.up]}`,
    resource.urn,
  ].join("\n");
  if (isDrifted(resource)) {
    const about = { message: resource.classes.join(", "), type: resource.classes[0] ?? "" };
    return element("testcase", attributes, [element("failure", about, [escaped(text)])]);
  }
  if (isPending(resource)) {
    return element("testcase", attributes, [
      element("skipped", { message: `pending: up would ${upWords[resource.up]}` }, []),
    ]);
  }
  return element("testcase", attributes, []);
}

function failedSuite(problems: readonly string[]): string {
  const error = element("error", { message: "the preview failed", type: "failed" }, [escaped(problems.join("\n"))]);
  const counted = { name: "preview", tests: 1, failures: 0, errors: 1, skipped: 0, time: 0 };
  return element("testsuite", counted, [
    element("testcase", { name: "preview", classname: "pulumi", time: 0 }, [error]),
  ]);
}

function element(name: string, attributes: Record<string, string | number>, content: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  if (content.length === 0) return `<${name}${written.join("")}/>`;
  return `<${name}${written.join("")}>${content.join("\n")}</${name}>`;
}
