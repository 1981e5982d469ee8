import { closest, distance } from "fastest-levenshtein";
import type { GenericSchema } from "valibot";
import * as v from "valibot";
import type { ServiceName } from "../services/names.ts";
import { hasUnknown, unknownValue } from "./unknown.ts";
import { plainName } from "./values.ts";

export { hasUnknown, knownIn, unknownValue } from "./unknown.ts";

/** What is wrong with a program's input: where, and what to write instead. */
export interface Problem {
  /** Path of the input, e.g. `source.digest` or `tags[3]`. */
  property: string;
  reason: string;
  /** It passes by itself where an Image of the same program is still to finish the image that is meant. */
  untilReady?: boolean;
}

/** One field of a resource on one service: what it may hold, and what a change of it means. */
export interface Field {
  schema: GenericSchema<unknown>;
  /**
   * `update`: in place; `replace`: a new image; `note`: nothing to write, but the state has to know it (for a later deletion, say);
   * `none`: says how to work this time, so it makes no diff.
   */
  change: "update" | "replace" | "note" | "none";
  /** The service reports its value, so drift can be seen. */
  reported?: boolean;
  /** It is a set of entries of which only the declared ones are managed: what else is there is somebody else's. */
  part?: boolean;
  /** Of such a set: the input that claims all of it for the program, and which entries aren't drift even then. */
  exclusive?: { by: string; except(entry: string): boolean };
  /** Whether two values mean the same; default: deep equality. */
  same?: (actual: unknown, wanted: unknown) => boolean;
  /** Of a value that isn't known as a whole, `same` compares what is. */
  comparesKnown?: boolean;
  required?: boolean;
  /** Who sets it, where that isn't the program: what the check adds, a program can't say. */
  by?: "sdk" | "check";
  /** The service can't be told it: a declared value is what it has to be already, and a difference is an error that says so. */
  expected?: boolean;
}

/** The kinds of resource of this provider. */
export const kinds = ["Image", "ImageMember", "ImageTag", "ImageCopy"] as const;
export type Kind = (typeof kinds)[number];

/** Everything one service allows for one kind of resource. */
export interface FieldTable {
  service: ServiceName;
  fields: Record<string, Field>;
  /** Fields of other services, and what to use here instead. */
  instead: Record<string, string>;
  /** Rules between fields. */
  rules: (values: Record<string, unknown>) => Problem[];
}

/**
 * Holds a program's values against a service's table. Values that aren't known yet are taken to be right.
 * @returns every problem at once, so that a user mends them in one go
 */
export function problemsOf(table: FieldTable, values: Record<string, unknown>): Problem[] {
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue;
    // A name such as "constructor" is on every object.
    const field = Object.hasOwn(table.fields, name) ? table.fields[name] : undefined;
    if (field === undefined || field.by === "check")
      problems.push({ property: name, reason: unknownField(table, name) });
    else problems.push(...valueProblems(name, field.schema, value));
  }
  for (const [name, field] of Object.entries(table.fields)) {
    if (field.required && (values[name] === undefined || values[name] === null)) {
      problems.push({ property: name, reason: `${table.service} needs ${name}` });
    }
  }
  // A rule between fields has nothing to add about a field that is wrong by itself.
  const wrong = new Set(problems.map(({ property }) => rootOf(property)));
  return [...problems, ...table.rules(values).filter(({ property }) => !wrong.has(rootOf(property)))];
}

/** The field that a path such as `source.digest` or `tags[3]` is in. */
export function rootOf(property: string): string {
  return property.split(/[.[]/)[0] as string;
}

function valueProblems(name: string, schema: GenericSchema<unknown>, value: unknown): Problem[] {
  const result = v.safeParse(schema, value);
  if (result.success) return [];
  return result.issues.flatMap(issue => {
    // It fits none of several forms, perhaps for what isn't known in it.
    if (issue.type === "union" && hasUnknown(value)) return [];
    let at = value;
    let property = name;
    for (const step of issue.path ?? []) {
      if (at === unknownValue) return [];
      at = (at as Record<string, unknown>)?.[step.key as string];
      property += typeof step.key === "number" ? `[${step.key}]` : `.${String(step.key)}`;
    }
    return at === unknownValue ? [] : [{ property, reason: issue.message }];
  });
}

/** What to say of a name that isn't known: the one that was meant, or all that there are. */
export function hintFor(name: string, known: readonly string[]): string {
  // A name of some hundred characters is no slip of the pen.
  const guess = name.length > 100 ? "" : closest(name, known);
  return guess !== "" && distance(name.toLowerCase(), guess.toLowerCase()) <= 3
    ? `did you mean ${guess}?`
    : `it knows ${known.join(", ")}`;
}

function unknownField(table: FieldTable, name: string): string {
  if (Object.hasOwn(table.instead, name)) return `${table.service} has no ${name}: ${table.instead[name]}`;
  const known = Object.keys(table.fields).filter(field => table.fields[field]?.by === undefined);
  return `${table.service} has no ${plainName(name)}; ${hintFor(name, known)}`;
}
