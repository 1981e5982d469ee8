import { isDeepStrictEqual } from "node:util";
import { secrecyMark } from "../../shared/secrecy.ts";
import { type FieldTable, unknownValue } from "../fields/field.ts";
import type { Values } from "../services/service.ts";

/**
 * What of a resource stays as its state has it, since the program ignores changes of it. The engine puts the state's values in the place of a
 * program's own inputs before a check. What only a check sets isn't the program's: the old value of that comes back as if the program had
 * declared it (pulumi/pulumi#2277), and a path into it has no effect.
 */
export interface Ignored {
  /** Whether changes of a field, or of anything in it, are ignored. */
  has(name: string): boolean;
  /** The inputs that a check has made, with the state's values where changes are ignored. */
  keptIn(made: Values): Values;
}

/**
 * Takes out of a program's inputs what the engine handed back of a check's own, and the paths that the sdk sends along.
 * @param olds the resource's inputs in the state; empty when the state has none: then there is nothing to keep
 */
export function takeIgnored({ fields }: Pick<FieldTable, "fields">, inputs: Values, olds: Values): Ignored {
  const sent = Array.isArray(inputs.ignored) ? inputs.ignored.map(path => stepsOf(String(path))) : [];
  delete inputs.ignored;
  const madeByCheck = Object.keys(fields).filter(name => fields[name]?.by === "check");
  // Not known yet where what it is about isn't.
  if (inputs.metadata === secrecyMark || inputs.metadata === unknownValue) delete inputs.metadata;
  const back = madeByCheck.filter(name => inputs[name] !== undefined && isDeepStrictEqual(inputs[name], olds[name]));
  for (const name of back) delete inputs[name];
  const paths = Object.keys(olds).length === 0 ? [] : [...sent, ...back.map(name => [name])];
  return {
    has: name => paths.some(([root]) => root === name),
    keptIn(made) {
      const kept = paths.filter(([root]) => madeByCheck.includes(root as string));
      return kept.reduce((values, path) => reset(values, olds, path) as Values, made);
    },
  };
}

/** `metadata.properties["hw:x"]` as `metadata`, `properties`, `hw:x`. */
function stepsOf(path: string): string[] {
  const steps = path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g);
  return [...steps].map(([, quoted, index, plain]) => quoted?.replaceAll(/\\(.)/g, "$1") ?? index ?? (plain as string));
}

/** A copy of a value with an older one's entry at a path; without it where the older one has none. A path that leads nowhere changes nothing. */
function reset(value: unknown, old: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return old;
  if (typeof value !== "object" || value === null) return value;
  const entries = new Map(Object.entries(value));
  const olds = new Map(Object.entries((old ?? {}) as object));
  for (const name of step === "*" ? new Set([...entries.keys(), ...olds.keys()]) : [step]) {
    // A list keeps its length, as the engine has it.
    if (Array.isArray(value) && !(entries.has(name) && olds.has(name))) continue;
    const kept = reset(entries.get(name), olds.get(name), rest);
    if (kept === undefined) entries.delete(name);
    else entries.set(name, kept);
  }
  return Array.isArray(value) ? [...entries.values()] : Object.fromEntries(entries);
}
