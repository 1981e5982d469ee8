/** One chart, both axes logarithmic. */
export interface Panel {
  title: string;
  /** Of its values; "" where they are counted. */
  unit: string;
  /** Lines of one name have one colour. */
  lines: { name: string; dashed: boolean; points: (readonly [number, number])[] }[];
}

const size = { width: 300, height: 260, left: 48, right: 26, top: 34, bottom: 40 };
const colours = ["#1b6ca8", "#2e8b57", "#b8860b", "#a83232"];

const perRow = 3;

/** Charts side by side, three in a row, as SVG, with one legend. */
export function panels(all: readonly Panel[]): string {
  const names = [...new Set(all.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  const width = Math.min(all.length, perRow) * size.width;
  const height = Math.ceil(all.length / perRow) * size.height;
  const legend = names.map((name, index) => {
    const x = 20 + index * 170;
    return `<line x1="${x}" y1="14" x2="${x + 24}" y2="14" stroke="${colours[index]}" stroke-width="2"/><text x="${x + 30}" y="18">${name}</text>`;
  });
  const note = `<text x="${20 + names.length * 170}" y="18">dashed: no-op program</text>`;
  const charts = all.map(
    (panel, index) =>
      `<g transform="translate(${(index % perRow) * size.width},${24 + Math.floor(index / perRow) * size.height})">${chart(panel, names)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height + 30}" font-family="sans-serif" font-size="11" fill="#222">
<title>${all.map(({ title }) => title).join(", ")} by number of images</title>
<rect width="100%" height="100%" fill="#fff"/>
${[...legend, note, ...charts].join("\n")}
</svg>
`;
}

function chart({ title, unit, lines }: Panel, names: readonly string[]): string {
  const points = lines.flatMap(line => line.points);
  const x = scale(
    points.map(([value]) => value),
    size.left,
    size.width - size.right,
  );
  const y = scale(
    points.map(([, value]) => value),
    size.height - size.bottom,
    size.top,
  );
  const grid = [
    ...x.ticks.map(value => tick(value, x.at(value), size.height - size.bottom, size.top, "x")),
    ...y.ticks.map(value => tick(value, y.at(value), size.left, size.width - size.right, "y")),
  ];
  const drawn = lines
    .filter(line => line.points.length > 0)
    .map(({ name, dashed, points }) => {
      const colour = colours[names.indexOf(name)];
      const path = points.map(([a, b]) => `${x.at(a).toFixed(1)},${y.at(b).toFixed(1)}`).join(" ");
      const dots = points.map(
        ([a, b]) => `<circle cx="${x.at(a).toFixed(1)}" cy="${y.at(b).toFixed(1)}" r="2.5" fill="${colour}"/>`,
      );
      const dash = dashed ? ' stroke-dasharray="4 3" opacity="0.6"' : "";
      return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.8"${dash}/>${dashed ? "" : dots.join("")}`;
    });
  const titles = `<text x="${size.left}" y="${size.top - 10}" font-weight="bold">${title}${unit === "" ? "" : `, ${unit}`}</text><text x="${(size.left + size.width) / 2}" y="${size.height - 8}" text-anchor="middle">images</text>`;
  return [titles, ...grid, ...drawn].join("\n");
}

/** A logarithmic axis with a tick at each power of ten that it spans. */
function scale(values: readonly number[], from: number, to: number): { at(value: number): number; ticks: number[] } {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    at: value => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

function tick(value: number, at: number, start: number, end: number, axis: "x" | "y"): string {
  const label = value.toLocaleString("en");
  return axis === "x"
    ? `<line x1="${at}" y1="${start}" x2="${at}" y2="${end}" stroke="#ddd"/><text x="${at}" y="${start + 14}" text-anchor="middle">${label}</text>`
    : `<line x1="${start}" y1="${at}" x2="${end}" y2="${at}" stroke="#ddd"/><text x="${start - 5}" y="${at + 4}" text-anchor="end">${label}</text>`;
}
