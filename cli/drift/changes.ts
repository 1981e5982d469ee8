import { isDeepStrictEqual } from "node:util";
import { hasUnknown, type Kind } from "../../provider/fields/field.ts";
import { redact } from "../../provider/redaction.ts";
import type { Values } from "../../provider/services/service.ts";
import { classesOf } from "./classify.ts";
import type { Change } from "./report.ts";
import { compare, isSecretMark, shownValue } from "./values.ts";

/** Two values that differ, and where; of maps each entry by itself. */
export interface Difference {
  path: string[];
  old: unknown;
  new: unknown;
}

/** What this package writes for itself, and what says how to work rather than what to have. */
const internal = ["__provider", "resource", "managed", "generation"];

/** Where two sets of inputs or outputs differ, in the order of the names. */
export function differences(old: Values, now: Values, only?: readonly string[]): Difference[] {
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  for (const name of internal) names.delete(name);
  return [...names]
    .filter(name => only === undefined || only.includes(name))
    .sort(compare)
    .flatMap(name => between([name], old[name], now[name]));
}

function between(path: string[], old: unknown, now: unknown): Difference[] {
  if (same(old, now)) return [];
  const maps = [old ?? {}, now ?? {}].every(isMap);
  const keys = maps ? [...new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})])].sort(compare) : [];
  if (keys.length === 0) return [{ path, old, new: now }];
  return keys.flatMap(key => between([...path, key], entry(old, key), entry(now, key)));
}

/** Lists of this package's resources are sets: their order says nothing. */
function same(old: unknown, now: unknown): boolean {
  if (old === null || now === null) return (old ?? undefined) === (now ?? undefined);
  if (Array.isArray(old) && Array.isArray(now)) return isDeepStrictEqual(sorted(old), sorted(now));
  return isDeepStrictEqual(old, now);
}

function sorted(list: readonly unknown[]): string[] {
  return list.map(one => JSON.stringify(one)).sort(compare);
}

function isMap(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isSecretMark(value);
}

function entry(value: unknown, key: string): unknown {
  return (value as Values | undefined)?.[key];
}

/** A drift as it is reported. */
export function driftOf(kind: Kind, difference: Difference, at: "service" | "source"): Change {
  const [field = "", ...inner] = difference.path;
  const whole = (value: unknown) => inner.reduceRight((within, key) => ({ [key]: within }), value);
  const classes = classesOf({ kind, field, old: whole(difference.old), new: whole(difference.new) });
  return { ...shown(difference), classes, at };
}

/** A change of the program as it is reported. */
export function pendingOf(difference: Difference): Change {
  return { ...shown(difference), classes: [] };
}

/** Whether the value depends on what `up` does to another resource. */
export function isOpen(difference: Difference): boolean {
  return hasUnknown(difference.new);
}

function shown({ path, old, new: now }: Difference): Pick<Change, "path" | "old" | "new"> {
  const name = path.at(-1) ?? "";
  const [before, after] = [shownValue(old, name), shownValue(now, name)];
  return {
    path: path.map(redact),
    ...(before === undefined ? {} : { old: before }),
    ...(after === undefined ? {} : { new: after }),
  };
}
