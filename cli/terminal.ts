import { createRequire } from "node:module";
import { styleText } from "node:util";
import type Table from "cli-table3";

type Style = Parameters<typeof styleText>[0];

/** Text in a style where standard output is a terminal that wants it (NO_COLOR and FORCE_COLOR count), else as it is. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true });
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A line for the person at the terminal, which isn't part of the result. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What writing answers when nobody reads any more. */
const readerGone = ["EPIPE", "EOF", "ERR_STREAM_DESTROYED"];

/** Whoever reads the output may have seen enough (`| head -1`): the command goes on to its end, and to its own exit code. */
export function leaveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!readerGone.includes(error.code ?? "")) throw error;
    });
  }
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

const noLines = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "", "bottom-left": "" },
  ...{ "bottom-right": "", left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "", middle: "  " },
};

function withoutLines(): Table.Table {
  // Many commands draw none, and would load it for nothing.
  const Drawn = createRequire(import.meta.url)("cli-table3") as typeof Table;
  return new Drawn({ chars: noLines, style: { "padding-left": 0, "padding-right": 0, head: [], border: [] } });
}

/** Rows below their headings, in columns as wide as what is in them. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = withoutLines();
  drawn.push(
    headings.map(heading => styled("bold", heading)),
    ...rows.map(row => [...row]),
  );
  return trimmed(drawn.toString());
}

/** Names and their values, one a line. */
export function pairs(entries: readonly (readonly string[])[], indent = ""): string {
  const drawn = withoutLines();
  drawn.push(...entries.map(([name = "", ...rest]) => [`${indent}${name}`, ...rest]));
  return trimmed(drawn.toString());
}

/** Without the blanks that fill a row's last column. */
function trimmed(drawn: string): string {
  return drawn
    .split("\n")
    .map(line => line.trimEnd())
    .join("\n");
}

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** Bytes as a person reads them: "225 MiB", "1.4 GiB". */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${units[unit]}`;
}

/** A value of an image as one cell. */
export function cell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(cell).join(", ");
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([name, inner]) => `${name}=${cell(inner)}`)
      .join(", ");
  }
  return String(value);
}
