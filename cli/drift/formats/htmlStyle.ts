/** The page's looks: one column that is read on a phone and on a desk, by day and by night, and on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #fff; --ink: #1b2330; --quiet: #5a6677; --line: #dde2ea; --code: #eef1f5; --link: #1d5fbf;
  --security: #b3182a; --security-soft: #fde8ea; --availability: #93500a; --availability-soft: #fdf0dd;
  --metadata: #1d5fbf; --metadata-soft: #e6effb; --pending: #6a3ea1; --pending-soft: #f0e9f9; --ok: #1b6e3c; --ok-soft: #e4f4ea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10151d; --card: #18202b; --ink: #e7ecf3; --quiet: #9aa8ba; --line: #2c3747; --code: #232d3b; --link: #8ab8f8;
    --security: #ff9aa5; --security-soft: #431a21; --availability: #f6bd74; --availability-soft: #3d2b12;
    --metadata: #8ab8f8; --metadata-soft: #182e4d; --pending: #c9aaf2; --pending-soft: #31224a; --ok: #83d6a3; --ok-soft: #16351f;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1, h2, h3, p { margin: 0; }
h1 { font-size: clamp(1.5rem, 4vw, 2.25rem); line-height: 1.2; letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { font-size: 1.125rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1.0625rem; line-height: 1.35; overflow-wrap: anywhere; }
.kicker { color: var(--quiet); font-size: .8125rem; font-weight: 600; letter-spacing: .08em; text-transform: uppercase; }
.slash { color: var(--quiet); font-weight: 400; padding: 0 .15em; }
.headline { margin-top: .75rem; font-size: 1.125rem; font-weight: 600; color: var(--ink); border-left: .3rem solid currentColor; padding-left: .75rem; }
.headline.security { border-color: var(--security); } .headline.availability { border-color: var(--availability); }
.headline.metadata { border-color: var(--metadata); } .headline.pending { border-color: var(--pending); } .headline.ok { border-color: var(--ok); }
.when, .quiet, footer, caption { color: var(--quiet); }
.when { margin-top: .5rem; font-size: .875rem; }
a { color: var(--link); }
a:has(.badge) { text-decoration: none; border-radius: 1rem; }
a:hover .badge { text-decoration: underline; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code { font: .875em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; background: var(--code); border-radius: .25rem; padding: .1em .35em; overflow-wrap: anywhere; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
ins, del { text-decoration: none; }
del code { background: var(--security-soft); text-decoration: line-through; }
ins code { background: var(--ok-soft); font-weight: 600; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.badge { display: inline-block; white-space: nowrap; border-radius: 1rem; padding: .05rem .6rem; font-size: .8125rem; font-weight: 600; line-height: 1.5; }
.badge.security { color: var(--security); background: var(--security-soft); }
.badge.availability { color: var(--availability); background: var(--availability-soft); }
.badge.metadata { color: var(--metadata); background: var(--metadata-soft); }
.badge.pending { color: var(--pending); background: var(--pending-soft); }
.badge.ok { color: var(--ok); background: var(--ok-soft); }
.tiles { display: grid; grid-template-columns: repeat(5, 1fr); gap: .75rem; margin: 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .9rem 1rem; }
.tile dd { margin: 0; }
.tile strong { display: block; font-size: 2rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tile span { font-size: .8125rem; } .tile dd span { color: var(--quiet); display: block; line-height: 1.4; }
.tile.zero strong { color: var(--quiet); font-weight: 400; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-size: .875rem; }
.matrix caption { padding: .75rem 1rem; position: sticky; left: 0; }
th, td { text-align: left; vertical-align: top; padding: .55rem 1rem; border-top: 1px solid var(--line); }
thead th { color: var(--quiet); font-size: .8125rem; font-weight: 600; }
.matrix th[scope=row] { position: sticky; left: 0; background: var(--card); font-weight: 600; min-width: 9rem; max-width: 20rem; overflow-wrap: anywhere; }
.matrix thead th:first-child { position: sticky; left: 0; background: var(--card); }
.absent { color: var(--quiet); }
.gone { font-size: .8125rem; font-weight: 600; }
article { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid var(--line); border-radius: .75rem; padding: 1.1rem 1.25rem; margin-top: .9rem; scroll-margin-top: 1rem; }
article.security { border-left-color: var(--security); } article.availability { border-left-color: var(--availability); }
article.metadata { border-left-color: var(--metadata); } article.pending { border-left-color: var(--pending); }
article:target { outline: 3px solid var(--link); outline-offset: 2px; }
.kind { color: var(--quiet); font-weight: 500; }
.whole { font-weight: 500; }
.badges { margin-top: .45rem; } .doing { margin-left: .4rem; color: var(--quiet); font-size: .875rem; }
.changes { margin-top: .9rem; table-layout: fixed; }
.changes caption { font-weight: 600; padding-bottom: .35rem; }
.changes th, .changes td { padding: .5rem .75rem .5rem 0; }
.changes th[scope=row] { font-weight: 400; }
.changes .badge { font-size: .75rem; } .changes .quiet { font-size: .8125rem; }
.notes { margin: .75rem 0 0; padding-left: 1.25rem; }
.facts { margin: .9rem 0 0; padding-top: .75rem; border-top: 1px solid var(--line); display: grid; gap: .3rem; font-size: .875rem; }
.facts div { display: grid; grid-template-columns: 6.5rem 1fr; gap: .75rem; }
.facts dt { color: var(--quiet); } .facts dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.problems { border-left: .3rem solid var(--security); padding-left: .9rem; }
.problems ul { padding-left: 1.25rem; margin: 0; }
footer { padding-top: 2rem; padding-bottom: 3rem; font-size: .875rem; }
@media (max-width: 60rem) { .tiles { grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); } }
@media (max-width: 36rem) {
  header { padding-top: 1.5rem; }
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  .tiles { grid-template-columns: 1fr; gap: .5rem; }
  .tile { display: grid; grid-template-columns: 7.5rem 1fr; align-items: baseline; padding: .6rem .9rem; }
  .tile dd { display: flex; gap: .75rem; align-items: baseline; }
  .tile strong { font-size: 1.25rem; min-width: 2ch; text-align: right; }
  .matrix th[scope=row] { min-width: 6.5rem; max-width: 9rem; font-size: .875rem; }
  .matrix .badge { padding: 0 .45rem; font-size: .75rem; }
  .matrix th, .matrix td { padding: .5rem .4rem .5rem .75rem; }
  th, td { padding: .5rem .75rem; }
  article { padding: .9rem 1rem; }
  .changes code { font-size: .75rem; }
  .changes th[scope=row] code { display: inline-block; }
  .facts div { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  body { background: none; } .tile, .scroll, article { break-inside: avoid; } .scroll { overflow: visible; }
}
`;
