import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { HtmlValidate } from "html-validate";
import { marked } from "marked";
import type { Log } from "sarif";
import { markdownText, marker } from "../../cli/drift/formats/markdown.ts";
import { exitCodeOf, type FailOn } from "../../cli/drift/outcome.ts";
import type { DriftReport, ResourceReport } from "../../cli/drift/report.ts";
import { oneLine } from "../../cli/drift/values.ts";
import { type CommandRun, cleanEnvironment, pulumiImages } from "./command.ts";
import { DriftStack, hostile, planted } from "./driftStack.ts";

const root = join(import.meta.dirname, "..", "..");
const formats = ["json", "markdown", "junit", "sarif", "html"] as const;

describe("pulumi-images drift", function () {
  this.timeout(300_000);
  let bench: DriftStack;
  let dir: string;
  /** Of a stack as it should be; of one whose program was changed; of one that has drifted, too. */
  const runs: Record<"none" | "pending" | "drift" | "failed", CommandRun> = {} as never;
  const texts: Record<(typeof formats)[number], string> = {} as never;
  let report: DriftReport;
  let failedReport: DriftReport;
  let selected: string;
  let stateBefore: Record<string, string>;
  let stateAfter: Record<string, string>;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-drift-out-"));
    bench = await DriftStack.start("fleet");
    await bench.stack.up(bench.program());
    const bare = { cwd: bench.stack.folder, env: bench.stack.env };
    // The selected stack, as nothing else is said.
    runs.none = await pulumiImages(["drift"], bare);
    await bench.stack.run(["stack", "init", "other"]);
    stateBefore = await bench.stateFiles();
    await bench.stack.declare(bench.changedProgram());
    runs.pending = await bench.drift();
    await bench.interfere();
    const outputs = formats.flatMap(format => [`--${format}`, join(dir, format)]);
    runs.drift = await bench.drift(...outputs);
    for (const format of formats) texts[format] = await readFile(join(dir, format), "utf8");
    report = JSON.parse(texts.json) as DriftReport;
    await bench.stack.declare([
      { kind: "Image", name: "wrong", args: { service: "openstack", connection: "lab", nam: "x" } },
    ]);
    runs.failed = await bench.drift("--json", "-");
    failedReport = JSON.parse(runs.failed.out) as DriftReport;
    stateAfter = await bench.stateFiles();
    const stacks = JSON.parse((await bench.stack.run(["stack", "ls", "--json"])).text) as {
      name: string;
      current: boolean;
    }[];
    selected = stacks.find(({ current }) => current)?.name ?? "";
  });
  after(async () => {
    await bench?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const resource = (name: string): ResourceReport => {
    const found = report.resources.find(one => one.name === name);
    assert.ok(found, `${name} is not in the report`);
    return found;
  };
  /** `path: old → new`, with classes and place. */
  const drifts = (name: string): string[] =>
    resource(name).drift.map(
      ({ path, old, new: now, classes, at }) =>
        `${path.join("/")}: ${JSON.stringify(old)} → ${JSON.stringify(now)} ${classes.join()} ${at}`,
    );

  it("says by its exit code what it found", () => {
    const codes = Object.fromEntries(Object.entries(runs).map(([name, { code }]) => [name, code]));
    assert.deepEqual(codes, { none: 0, pending: 3, drift: 2, failed: 1 });
    assert.match(runs.none.out, /^fleet-\w+\/dev: No drift in 16 resources\.\n$/);
    assert.match(runs.pending.out, /^pending +lab +Image +alma-10 +minDisk +1 +2 +update it in place$/m);
    assert.match(runs.pending.out, /^fleet-\w+\/dev: 4 resources changed in the program\.$/m);
    assert.match(
      runs.drift.out,
      /^fleet-\w+\/dev: 11 resources drifted \(3 security, 4 availability, 5 metadata\), 4 changed in the program\.$/m,
    );
    for (const { err } of Object.values(runs)) assert.equal(err, "");
  });

  it("changes neither the state nor the selected stack", () => {
    assert.deepEqual(stateAfter, stateBefore);
    assert.equal(selected, "other");
  });

  it("tells each drift by its old and new value, what it means, and what up would do", () => {
    assert.deepEqual(drifts("ubuntu"), [
      'properties/os_version: "24.04" → "22.04" metadata service',
      "protected: true → false security service",
      'tags: ["golden","lts"] → ["lts","tested"] metadata service',
      'visibility: "shared" → "community" security service',
    ]);
    assert.deepEqual(resource("ubuntu").classes, ["security", "metadata"]);
    const [consumer, admin] = [bench.cloud.openstack.accounts.consumer, bench.cloud.openstack.accounts.admin];
    const members = [consumer.projectId, admin.projectId].sort();
    assert.deepEqual(
      resource("team").drift.map(({ new: now }) => (now as string[]).toSorted()),
      [members],
    );
    assert.deepEqual(resource("team").classes, ["security"]);
    assert.deepEqual(drifts("rescue"), ['state: "active" → "deactivated" availability service']);
    assert.deepEqual(drifts("fedora-at-partner"), ['metadata/tags: ["mirror"] → [] metadata service']);
    const [built = ""] = drifts("built");
    assert.match(built, /^content: "sha256:\w{64}" → "sha256:\w{64}" security source$/);
    const doing = ["ubuntu", "team", "rescue", "fedora-at-partner", "built"].map(name => resource(name).up);
    assert.deepEqual(doing, ["update", "update", "update", "update", "replace"]);
  });

  it("tells what is gone, and that it would be made again", () => {
    const gone = ["debian-13", "ubuntu-for-partner", "ubuntu-at-partner", "fedora-release"].map(resource);
    for (const one of gone) assert.deepEqual([one.gone, one.drift, one.up], [true, [], "create again"], one.name);
    assert.deepEqual(
      gone.map(({ classes }) => classes.join()),
      ["availability", "availability", "availability", "metadata"],
    );
    assert.equal(resource("ubuntu-at-partner").target, "partner");
    assert.equal(resource("ubuntu-for-partner").image, "ubuntu-24.04");
  });

  it("tells changes of the program apart", () => {
    assert.deepEqual(resource("alma-10").pending, [{ path: ["minDisk"], old: 1, new: 2, classes: [] }]);
    assert.deepEqual(
      ["alma-10", "rocky-11", "retired", "appliance"].map(name => [resource(name).up, resource(name).classes.length]),
      [
        ["update", 0],
        ["create", 0],
        ["delete", 0],
        ["update", 0],
      ],
    );
    const untouched = resource("rocky-10");
    assert.deepEqual([untouched.up, untouched.drift, untouched.pending], ["nothing", [], []]);
  });

  it("knows a secret that drifted from one that the program changed, and shows neither", () => {
    const masked = { path: ["properties"], old: "[secret]", new: "[secret]" };
    assert.deepEqual(resource("windows").drift, [{ ...masked, classes: ["metadata"], at: "service" }]);
    assert.deepEqual(resource("windows").pending, []);
    assert.deepEqual(resource("appliance").pending, [{ ...masked, classes: [] }]);
    const passwords = Object.values(bench.cloud.openstack.accounts).map(({ password }) => password);
    const everything = [...Object.values(texts), ...Object.values(runs).flatMap(({ out, err }) => [out, err])].join(
      "\n",
    );
    for (const secret of [...Object.values(planted), ...passwords]) assert.ok(!everything.includes(secret));
    const note = resource(`hostile ${hostile}`).drift[0];
    assert.equal(note?.new, `${hostile} [secret]\nsecond line`);
  });

  it("writes JSON as docs/drift.schema.json describes it", async () => {
    const schema = JSON.parse(await readFile(join(root, "docs", "drift.schema.json"), "utf8"));
    const validate = new Ajv2020({ strictRequired: false }).compile(schema);
    for (const each of [report, failedReport]) assert.ok(validate(each), JSON.stringify(validate.errors));
  });

  it("fails with what is wrong, also in the reports", () => {
    assert.equal(failedReport.result, "failed");
    assert.match(failedReport.problems.join("\n"), /openstack has no nam; did you mean name\?/);
  });

  it("has an exit code for what --fail-on names", () => {
    const quiet = { resources: 1, drifted: 0, pending: 0, security: 0, availability: 0, metadata: 0 };
    const some = (more: Partial<DriftReport["summary"]>): DriftReport => ({
      ...report,
      result: "drift",
      summary: { ...quiet, ...more },
    });
    const code = (more: Partial<DriftReport["summary"]>, ...failOn: FailOn[]) =>
      exitCodeOf(some(more), failOn.length === 0 ? undefined : failOn);
    const [metadata, security, pending] = [{ drifted: 1, metadata: 1 }, { drifted: 1, security: 1 }, { pending: 1 }];
    assert.deepEqual([code(metadata), code(security), code(pending), code({})], [2, 2, 3, 0]);
    assert.deepEqual([code(metadata, "security"), code(security, "security"), code(pending, "security")], [0, 2, 0]);
    assert.deepEqual([code(metadata, "security", "metadata"), code(metadata, "availability")], [2, 0]);
    assert.deepEqual(
      [code({ ...metadata, ...pending }, "pending"), code(pending, "drift"), code(metadata, "drift")],
      [3, 0, 2],
    );
    assert.deepEqual([code(metadata, "any"), code(security, "none"), code(pending, "none")], [2, 0, 0]);
    assert.equal(exitCodeOf(failedReport, ["none"]), 1);
  });

  it("ends with 1 at wrong usage, as 2 and 3 tell of drift", async () => {
    const { stack } = bench;
    const outside = { cwd: tmpdir(), env: cleanEnvironment() };
    const inside = { cwd: stack.folder, env: stack.env };
    const [nowhere, unknown, flag, twice, kind] = await Promise.all([
      pulumiImages(["drift"], outside),
      pulumiImages(["drift", "--stack", "nobody"], inside),
      pulumiImages(["drift", "--nope"], inside),
      pulumiImages(["drift", "--json", "-", "--html", "-"], inside),
      pulumiImages(["drift", "--fail-on", "security", "typo"], inside),
    ]);
    for (const { code, out } of [nowhere, flag, twice, kind]) assert.deepEqual([code, out], [1, ""]);
    assert.match(nowhere.err, /isn't in a Pulumi project/);
    assert.equal(unknown.code, 1);
    assert.match(`${unknown.out}${unknown.err}`, /no stack named 'nobody' found/);
    assert.match(twice.err, /only one report can go to standard output/);
    assert.match(kind.err, /Allowed choices are security, availability, metadata, drift, pending, any, none/);
  });

  describe("the comment for a pull request", () => {
    it("has the stack's marker, a fold for each resource, and old and new side by side", () => {
      assert.ok(texts.markdown.startsWith(`<!-- pulumi-images drift ${report.project}/dev -->\n`));
      const html = marked.parse(texts.markdown, { async: false });
      const told = report.resources.filter(({ up, classes }) => up !== "nothing" || classes.length > 0);
      assert.equal(html.match(/<details>/g)?.length, told.length);
      assert.match(
        html,
        /<td><code>visibility<\/code> \(security\)<\/td>\s*<td><code>shared<\/code><\/td>\s*<td><code>community<\/code><\/td>/,
      );
      // Each row of each table has three cells, whatever is in them.
      for (const [row] of html.matchAll(/<tr>[\s\S]*?<\/tr>/g)) assert.equal(row.match(/<t[hd]>/g)?.length, 3, row);
    });

    it("takes no name or value for Markdown, HTML, a mention, an issue or a link", () => {
      const html = marked.parse(texts.markdown, { async: false });
      const shown = html.match(/<code>hostile [\s\S]*?<\/code>/)?.[0] ?? "";
      const decoded = shown
        .replace(/<\/?code>/g, "")
        .replace(/&#(\d+);/g, (_, sign) => String.fromCodePoint(Number(sign)));
      assert.equal(decoded, oneLine(`hostile ${hostile}`));
      assert.ok(!/<script|<a |<em>|<strong>/.test(html));
      assert.ok(!/[@#]\w/.test(texts.markdown.replace(/&#\d+;/g, "")));
    });

    it("is the same for the same findings, and stacks have one each", () => {
      assert.equal(markdownText({ ...report, createdAt: "2001-01-01T00:00:00.000Z" }), texts.markdown);
      assert.notEqual(marker({ project: "a", stack: "b/c" }), marker({ project: "a/b", stack: "c" }));
      assert.equal(marker({ project: "a--b", stack: "-->" }).match(/--/g)?.length, 2);
    });

    it("keeps below the limit, and says what it left out", () => {
      const many = { ...report, resources: Array.from({ length: 40 }, () => report.resources).flat() };
      const text = markdownText(many);
      assert.ok(text.length <= 65_536);
      const left = Number(/_(\d+) more resources are left out/.exec(text)?.[1]);
      const told = many.resources.filter(({ up, classes }) => up !== "nothing" || classes.length > 0).length;
      assert.equal(left + (text.match(/<details>/g)?.length ?? 0), told);
      assert.ok(markdownText(report, 300).length <= 300);
    });
  });

  it("writes JUnit XML with a case for each resource", () => {
    assert.equal(XMLValidator.validate(texts.junit), true);
    const parsed = new XMLParser({
      ignoreAttributes: false,
      htmlEntities: true,
      isArray: name => /^test(suite|case)$/.test(name),
    }).parse(texts.junit);
    const [suite] = parsed.testsuites.testsuite;
    const cases = suite.testcase as Record<string, unknown>[];
    assert.deepEqual(
      [suite["@_name"], suite["@_tests"], suite["@_failures"], suite["@_skipped"]],
      ["lab", "17", "11", "4"],
    );
    assert.equal(cases.length, 17);
    assert.equal(cases.filter(one => "failure" in one).length, 11);
    assert.equal(cases.filter(one => "skipped" in one).length, 4);
    assert.ok(cases.some(one => one["@_name"] === `hostile ${hostile}`));
  });

  it("writes SARIF 2.1.0 by its rules", () => {
    const { version, runs: found } = JSON.parse(texts.sarif) as Log;
    assert.equal(version, "2.1.0");
    assert.equal(found.length, 1);
    const [{ tool, results = [], automationDetails, invocations = [] }] = found as [Log["runs"][0]];
    const rules = tool.driver.rules ?? [];
    assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
    assert.match(tool.driver.version ?? "", /^\d+\.\d+\.\d+/);
    assert.equal(automationDetails?.id, `pulumi-images-drift/${report.project}/dev/`);
    assert.deepEqual(
      invocations.map(({ executionSuccessful }) => executionSuccessful),
      [true],
    );
    const classes = report.resources.reduce((sum, one) => sum + one.classes.length, 0);
    assert.equal(results.length, classes + report.summary.pending);
    for (const { ruleId, ruleIndex, level, message, locations = [] } of results) {
      assert.equal(rules[ruleIndex ?? -1]?.id, ruleId);
      assert.ok(["error", "warning", "note"].includes(level ?? ""));
      assert.ok((message.text ?? "").length > 10);
      const [{ physicalLocation, logicalLocations } = {}] = locations;
      assert.equal(physicalLocation?.artifactLocation?.uri, "Pulumi.yaml");
      assert.ok((physicalLocation?.region?.startLine ?? 0) >= 1);
      assert.match(logicalLocations?.[0]?.fullyQualifiedName ?? "", /^urn:pulumi:dev::fleet-\w+::/);
    }
    const prints = results.map(({ partialFingerprints }) => Object.values(partialFingerprints ?? {}).join());
    assert.equal(new Set(prints).size, results.length);
  });

  describe("the page", () => {
    it("is valid, and readable by a screen reader, by html-validate's rules", async () => {
      const validator = new HtmlValidate({
        extends: ["html-validate:recommended", "html-validate:a11y", "html-validate:document"],
        // Ours is for people, not for a diff: no wrapping, and inline style is the point of a single file.
        rules: {
          "no-trailing-whitespace": "off",
          "long-title": "off",
          "no-inline-style": "error",
          "wcag/h63": "error",
        },
      });
      const { valid, results } = await validator.validateString(texts.html);
      const found = results.flatMap(({ messages }) =>
        messages.map(({ ruleId, message, line }) => `${line} ${ruleId}: ${message}`),
      );
      assert.deepEqual([valid, found], [true, []]);
    });

    it("asks nobody for anything, and may not", () => {
      const references = [...texts.html.matchAll(/\b(?:href|src|srcset|action|poster|data)="([^"]*)"/g)].map(
        ([, value]) => value ?? "",
      );
      assert.deepEqual(
        references.filter(value => !value.startsWith("#") && value !== "data:,"),
        [],
      );
      assert.ok(!/<script|<iframe|<img|<form|\son\w+=|url\(|@import/i.test(texts.html));
      const style = /<style>([\s\S]*?)<\/style>/.exec(texts.html)?.[1] ?? "";
      const hash = createHash("sha256").update(style).digest("base64");
      const [, policy] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(texts.html) ?? [];
      assert.ok(policy?.startsWith(`default-src 'none'; style-src 'sha256-${hash}';`), policy);
      assert.ok(texts.html.includes("&lt;script&gt;alert(1)&lt;/script&gt;"));
    });

    it("has a matrix with an image a row and a connection a column, in words", () => {
      const table = /<table class="matrix">[\s\S]*?<\/table>/.exec(texts.html)?.[0] ?? "";
      assert.deepEqual(
        [...table.matchAll(/<th scope="col">(.*?)<\/th>/g)].map(([, text]) => text),
        ["Image", "lab", "partner"],
      );
      const words = (cell: string) =>
        cell
          .replace(/<span aria-hidden="true">.*?<\/span>/g, "")
          .replace(/<[^>]+>/g, " ")
          .trim()
          .split(/\s+/)
          .join(" ");
      const rows = Object.fromEntries(
        [...table.matchAll(/<tr><th scope="row">(.*?)<\/th>(.*?)<\/tr>/g)].map(([, image = "", cells = ""]) => [
          image,
          [...cells.matchAll(/<td>(.*?)<\/td>/g)].map(([, cell = ""]) => words(cell)),
        ]),
      );
      assert.deepEqual(rows["ubuntu-24.04"], ["security availability metadata", "availability gone"]);
      assert.deepEqual(rows["fedora-43"], ["metadata", "metadata"]);
      assert.deepEqual(rows["debian-13"]?.[0], "availability gone");
      assert.deepEqual(rows["alma-10"]?.[0], "pending");
      assert.equal(rows["rocky-10"]?.[0], "ok");
      assert.match(rows["rocky-10"]?.[1] ?? "", /not declared/);
      const targets = [...table.matchAll(/href="#(\w+)"/g)].map(([, anchor]) => anchor);
      assert.ok(targets.length > 10);
      for (const anchor of targets) assert.ok(texts.html.includes(`<article id="${anchor}"`));
    });
  });
});
