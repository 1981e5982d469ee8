import * as v from "valibot";
import { unknownValue } from "./unknown.ts";

/** The kinds of value a field can hold. Each names the unit and the bounds in its message. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u;

/** How a value is shown in a message: short, and quoted when it is text. */
export function shown(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "nothing");
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A name as it may stand in a message: whatever is odd about it can be seen, and it isn't endless. */
export function plainName(name: string): string {
  return /^[\w.-]{1,60}$/.test(name) ? name : shown(name);
}

export interface TextOptions {
  /** What it is, for the message. */
  what: string;
  min?: number;
  max?: number;
  pattern?: RegExp;
  /** What the pattern means, in words. */
  form?: string;
  /** The service's database takes characters of the Basic Multilingual Plane only. */
  bmpOnly?: boolean;
}

/** One line of text. Lengths are in characters. */
export function text({ what, min = 0, max, pattern, form, bmpOnly }: TextOptions) {
  return v.pipe(
    v.string(issue => `${what} must be text, not ${shown(issue.input)}`),
    v.check(
      value => value.isWellFormed(),
      issue => `${what} must be well-formed text, not with half of a character: ${shown(issue.input)}`,
    ),
    v.check(
      value => !controlCharacter.test(value),
      issue => `${what} must not hold control characters (line breaks, tabs, NUL): ${shown(issue.input)}`,
    ),
    v.check(
      value => length(value) >= min,
      () => (min === 1 ? `${what} must not be empty` : `${what} must have at least ${min} characters`),
    ),
    v.check(
      value => max === undefined || length(value) <= max,
      issue => `${what} must have at most ${max} characters, not ${length(issue.input)}: ${shown(issue.input)}`,
    ),
    v.check(
      value => !bmpOnly || length(value) === value.length,
      issue =>
        `${what} must not hold characters beyond U+FFFF (such as emoji), the service refuses them: ${shown(issue.input)}`,
    ),
    v.check(
      value => pattern === undefined || pattern.test(value),
      issue => `${what} must be ${form}, not ${shown(issue.input)}`,
    ),
  );
}

/** Characters as a person counts them (code points), not UTF-16 units. */
function length(value: string): number {
  return [...value].length;
}

/** A whole number with its unit. */
export function whole({
  what,
  unit,
  min = 0,
  max = 2 ** 31 - 1,
}: {
  what: string;
  unit: string;
  min?: number;
  max?: number;
}) {
  const message = (issue: { input: unknown }) =>
    `${what} must be a whole number of ${unit} from ${min} to ${max}, not ${shown(issue.input)}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
}

export function flag(what: string) {
  return v.boolean(issue => `${what} must be true or false, not ${shown(issue.input)}`);
}

export function oneOf<const T extends readonly string[]>(what: string, choices: T) {
  return v.picklist(choices, issue => `${what} must be one of ${choices.join(", ")}; not ${shown(issue.input)}`);
}

/**
 * A list without an order; the same entry twice is an error, since it can only be a slip.
 * @param options.key what two entries that mean the same have in common; default: they are equal
 */
export function setOf(
  what: string,
  item: v.GenericSchema<unknown>,
  options: { min?: number; key?: (entry: unknown) => unknown } = {},
) {
  const { key = entry => entry } = options;
  return v.pipe(
    v.array(item, issue => `${what} must be a list, not ${shown(issue.input)}`),
    v.check(
      list => list.length >= (options.min ?? 0),
      () => `${what} must not be an empty list`,
    ),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const seen = new Set<unknown>();
      for (const entry of dataset.value) {
        if (entry === unknownValue) continue;
        if (seen.has(key(entry))) addIssue({ message: `${what} holds ${shown(entry)} twice` });
        seen.add(key(entry));
      }
    }),
  );
}

/** Free text entries by key. */
export function mapOf(what: string, key: v.GenericSchema<string, string>, value: v.GenericSchema<unknown>) {
  return v.pipe(
    v.custom<Record<string, unknown>>(
      input => typeof input === "object" && input !== null && !Array.isArray(input),
      issue => `${what} must be an object of text by name, not ${shown(issue.input)}`,
    ),
    // Under these names a record doesn't look at all.
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const name of ["__proto__", "prototype", "constructor"]) {
        if (!Object.hasOwn(dataset.value, name)) continue;
        for (const result of [v.safeParse(key, name), v.safeParse(value, dataset.value[name])])
          for (const { message } of result.issues ?? []) addIssue({ message: `${name}: ${message}` });
      }
    }),
    v.record(key, value),
  );
}

/** An object with just these fields. */
export function record(what: string, entries: v.ObjectEntries) {
  return v.strictObject(entries, issue =>
    issue.expected === "never"
      ? `${what} has no ${plainName(String(issue.path?.at(-1)?.key))}; it knows ${Object.keys(entries).join(", ")}`
      : issue.input === undefined
        ? `${what} needs ${String(issue.path?.at(-1)?.key)}`
        : `${what} must be an object, not ${shown(issue.input)}`,
  );
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function uuid(what: string) {
  return text({ what, pattern: uuidForm, form: "a UUID such as 3fb0e6a4-7a54-4d5e-9a8e-2f1f0d6c1b2a" });
}
