import { createHash } from "node:crypto";
import { driftClasses } from "../classify.ts";
import { type Cell, matrixOf } from "../matrix.ts";
import { type Change, type DriftReport, isDrifted, isPending, type ResourceReport } from "../report.ts";
import { oneLine, shortened, valueText } from "../values.ts";
import { headline, pathText, standing, telling, upWords, wholeText } from "../words.ts";
import { style } from "./htmlStyle.ts";
import { escaped } from "./xml.ts";

type Standing = ReturnType<typeof standing>[number];

const longest = { name: 200, value: 2000 };

const meanings: Record<Exclude<Standing, "ok">, string> = {
  security: "Who may use an image, who owns it, or what is in it, changed.",
  availability: "An image, a member or a copy isn't there, or can't be used.",
  metadata: "What describes an image changed.",
  pending: "Changed in the program, which is no drift.",
};

/** A page that needs nothing but itself: no script, no request to anywhere. */
export function htmlText(report: DriftReport): string {
  const found = telling(report);
  const anchors = new Map(found.map(({ urn }, at) => [urn, `r${at + 1}`]));
  const title = text(`Drift of ${report.project}/${report.stack}`);
  const csp = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; img-src data:; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${csp}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
<p class="kicker">Machine images</p>
<h1>${text(report.project)}<span class="slash">/</span>${text(report.stack)}</h1>
<p class="headline ${resultClass(report)}">${escaped(headline(report))}</p>
<p class="when">Looked at <time datetime="${escaped(report.createdAt)}">${escaped(dateText(report.createdAt))}</time></p>
</header>
<main>
${problems(report)}${tiles(report)}
${matrix(report, anchors)}
<section aria-labelledby="details">
<h2 id="details">Details</h2>
${found.length === 0 ? "<p>Nothing to tell.</p>" : found.map(resource => details(resource, anchors.get(resource.urn) as string)).join("\n")}
</section>
</main>
<footer><p>Written by ${escaped(report.generator)}.${others(report)}</p></footer>
</body>
</html>
`;
}

function resultClass({ result, resources }: DriftReport): Standing {
  if (result === "failed") return "security";
  return resources[0] === undefined ? "ok" : (standing(resources[0])[0] ?? "ok");
}

function problems(report: DriftReport): string {
  if (report.problems.length === 0) return "";
  const items = report.problems.map(problem => `<li>${code(problem)}</li>`).join("");
  return `<section class="problems" aria-labelledby="problems">\n<h2 id="problems">What went wrong</h2>\n<ul>${items}</ul>\n</section>\n`;
}

function tiles({ summary, resources }: DriftReport): string {
  const quiet = resources.filter(resource => !isDrifted(resource) && !isPending(resource)).length;
  const counts: [Standing, number, string][] = [
    ...driftClasses.map(each => [each, summary[each], meanings[each]] as [Standing, number, string]),
    ["pending", summary.pending, meanings.pending],
    ["ok", quiet, "As the program left it."],
  ];
  const items = counts.map(
    ([each, count, meaning]) =>
      `<div class="tile ${each}${count === 0 ? " zero" : ""}"><dt>${badge(each)}</dt><dd><strong>${count}</strong><span>${meaning}</span></dd></div>`,
  );
  return `<section aria-labelledby="summary">\n<h2 id="summary">Resources</h2>\n<dl class="tiles">\n${items.join("\n")}\n</dl>\n</section>`;
}

function matrix({ resources }: DriftReport, anchors: ReadonlyMap<string, string>): string {
  const { places, rows } = matrixOf(resources);
  if (rows.length === 0) return "";
  const heads = places.map(place => `<th scope="col">${text(place)}</th>`).join("");
  const body = rows.map(
    ({ image, cells }) =>
      `<tr><th scope="row">${text(image)}</th>${cells.map(cell => `<td>${cellHtml(cell, anchors)}</td>`).join("")}</tr>`,
  );
  return `<h2 id="images">Images by connection</h2>
<section class="scroll" aria-labelledby="images" tabindex="0">
<table class="matrix">
<caption>How each image is on each connection, with its members, tags and copies</caption>
<thead><tr><th scope="col">Image</th>${heads}</tr></thead>
<tbody>
${body.join("\n")}
</tbody>
</table>
</section>`;
}

function cellHtml(cell: Cell | undefined, anchors: ReadonlyMap<string, string>): string {
  if (cell === undefined)
    return '<span class="absent" aria-hidden="true">–</span><span class="unseen">not declared</span>';
  const badges = cell.standing.map(each => badge(each)).join(" ");
  const anchor = cell.urns.map(urn => anchors.get(urn)).find(found => found !== undefined);
  const gone = cell.gone ? ' <span class="gone">gone</span>' : "";
  return `${anchor === undefined ? badges : `<a href="#${anchor}">${badges}</a>`}${gone}`;
}

function details(resource: ResourceReport, anchor: string): string {
  const { kind, name, image, connection, service, target, up, id, urn } = resource;
  const whole = wholeText(resource);
  const place = target === undefined ? text(connection) : `${text(connection)} → ${text(target)}`;
  const facts: [string, string][] = [
    ["Connection", service === connection ? place : `${place} <span class="quiet">(${text(service)})</span>`],
    ...(image === name ? [] : [["Image", text(image)] as [string, string]]),
    ...(id === "" ? [] : [["Id", code(id)] as [string, string]]),
    ["Urn", code(urn)],
  ];
  const [worst] = standing(resource);
  return `<article id="${anchor}" class="${worst}" aria-labelledby="${anchor}-name">
<h3 id="${anchor}-name"><span class="kind">${kind}</span> ${text(name)}${whole === undefined ? "" : ` <span class="whole">${escaped(whole)}</span>`}</h3>
<p class="badges">${standing(resource)
    .map(each => badge(each))
    .join(" ")} <span class="doing"><code>up</code> would ${escaped(upWords[up])}</span></p>
${changes("Drift", "Now", resource.drift)}${changes("Change of the program", "Program", resource.pending)}${notes(resource)}<dl class="facts">
${facts.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join("\n")}
</dl>
</article>`;
}

function changes(title: string, now: string, found: readonly Change[]): string {
  if (found.length === 0) return "";
  const rows = found.map(change => {
    const means = change.classes.map(each => badge(each)).join(" ");
    const source = change.at === "source" ? ' <span class="quiet">of the source</span>' : "";
    return `<tr><th scope="row">${code(pathText(change.path))}${source} ${means}</th><td>${side(change, "old")}</td><td>${side(change, "new")}</td></tr>`;
  });
  return `<table class="changes">
<caption>${title}</caption>
<thead><tr><th scope="col">Field</th><th scope="col">State</th><th scope="col">${now}</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
`;
}

/** Of two lists, what only one has is marked. */
function side(change: Change, which: "old" | "new"): string {
  const value = change[which];
  const other = change[which === "old" ? "new" : "old"];
  if (value === undefined) return '<span class="quiet">not there</span>';
  if (!Array.isArray(value)) return code(valueText(value));
  if (value.length === 0) return '<span class="quiet">none</span>';
  const elsewhere = new Set(Array.isArray(other) ? other.map(valueText) : []);
  const mark = which === "old" ? "del" : "ins";
  return value
    .map(entry => valueText(entry))
    .map(entry => (elsewhere.has(entry) ? code(entry) : `<${mark}>${code(entry)}</${mark}>`))
    .join(" ");
}

function notes({ notes: said }: ResourceReport): string {
  if (said.length === 0) return "";
  return `<ul class="notes">${said.map(note => `<li>${text(note)}</li>`).join("")}</ul>\n`;
}

function others({ others: counted }: DriftReport): string {
  const parts = Object.entries(counted).map(([op, count]) => `${count} ${op}`);
  return parts.length === 0 ? "" : ` Resources of other packages: ${escaped(parts.sort().join(", "))}.`;
}

/** A word with a shape before it, so that colour isn't all that tells. */
function badge(each: Standing): string {
  const shapes: Record<Standing, string> = { security: "◆", availability: "▲", metadata: "●", pending: "✎", ok: "✓" };
  return `<span class="badge ${each}"><span aria-hidden="true">${shapes[each]}</span> ${each}</span>`;
}

function dateText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

function code(value: string): string {
  return `<code>${escaped(shortened(oneLine(value), longest.value))}</code>`;
}

function text(value: string): string {
  return escaped(shortened(oneLine(value), longest.name));
}
