import fc from "fast-check";
import type { Field, FieldTable } from "../../provider/fields/field.ts";

/**
 * Arguments as nobody means them, made from the tables of what a service takes: values of each field's own kind at and beyond its bounds,
 * values of every other kind, fields of other services, and names that JavaScript objects have by themselves.
 */

type Values = Record<string, unknown>;
/** A schema of valibot's, as far as it tells of itself. */
interface Schema {
  type: string;
  pipe?: readonly { type: string; requirement?: unknown }[];
  options?: readonly unknown[];
  entries?: Record<string, Schema>;
  item?: Schema;
  key?: Schema;
  value?: Schema;
  wrapped?: Schema;
  literal?: unknown;
}

/** Text that has broken something somewhere. */
export const oddTexts: readonly string[] = [
  "",
  " ",
  " x ",
  "\0",
  "a\nb",
  "a\tb",
  "\u007f",
  "\u0085",
  "\u2028",
  "\ufeffx",
  "\u202ex",
  "\ud800",
  "x\udc00y",
  "🐧",
  "é",
  "e\u0301",
  "ß".repeat(255),
  "x".repeat(255),
  "x".repeat(256),
  "x".repeat(100_000),
  "../../etc/passwd",
  "..%2f..%2f",
  "a/b",
  "a%b",
  "a?b#c",
  "a;b,c",
  "in:x",
  "eq:x",
  "in:",
  "'; DROP TABLE images; --",
  '"quoted"',
  "\\",
  "\\u0000",
  "$(x)",
  "<b>x</b>",
  "~1",
  "~",
  "null",
  "true",
  "-0",
  "1e999",
  "NaN",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba",
  "00000000-0000-0000-0000-000000000000",
  "9007199254740993",
  "18446744073709551616",
];

/** Numbers at the edges of what types hold. */
export const oddNumbers: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, 2 ** 63, 1e21, 1e308],
  ...[Number.MIN_VALUE, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
];

/** Names that are no field of any service; every object has some of them all the same. */
export const oddNames: readonly string[] = [
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"],
  ...[
    "",
    " ",
    "0",
    "length",
    "Name",
    "nmae",
    "name\0",
    "\ud800",
    "x".repeat(10_000),
    "$secret",
    "4dabf18193072939515e22adb298388d",
  ],
];

/** Lists and objects within each other, so deep that a careless recursion ends. */
export function nested(depth: number, kind: "list" | "object"): unknown {
  let value: unknown = "deep";
  for (let n = 0; n < depth; n++) value = kind === "list" ? [value] : { a: value };
  return value;
}

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  // UTF-16 as it comes, halves of pairs included.
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
      .map(units => String.fromCharCode(...units)),
  },
);

const number = fc.oneof(fc.constantFrom(...oddNumbers), fc.double(), fc.integer({ min: 0, max: 100 }));

/** Anything that the engine can bring to a provider. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  { depthSize: "small", withCrossShrink: true },
  text,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(nested(300, "list"), nested(300, "object")),
  fc.array(fc.oneof(text, number), { maxLength: 3 }),
  fc.dictionary(fc.oneof(text, fc.constantFrom(...oddNames)), fc.oneof(text, number), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
);

/** Values of the kind that a schema describes; most are within its bounds, where it tells them. */
function fitting(schema: Schema): fc.Arbitrary<unknown> {
  const all = (schemas: readonly Schema[]) => fc.oneof(...schemas.map(fitting));
  const inner = schema.type === "custom" && schema.pipe?.find(({ type }) => type === "record");
  if (inner) return fitting(inner as Schema);
  switch (schema.type) {
    case "string":
      return text;
    case "number":
      return fc.oneof(
        ...(schema.pipe ?? []).flatMap(({ type, requirement }) =>
          type === "min_value" || type === "max_value"
            ? [fc.constantFrom(Number(requirement) - 1, Number(requirement), Number(requirement) + 1)]
            : [],
        ),
        number,
      );
    case "boolean":
      return fc.boolean();
    case "literal":
      return fc.constant(schema.literal);
    case "picklist":
      return fc.constantFrom(...(schema.options as readonly unknown[]));
    case "union":
      return all(schema.options as readonly Schema[]);
    case "optional":
      return fitting(schema.wrapped as Schema);
    case "array":
      return fc.array(fitting(schema.item as Schema), { maxLength: 4 });
    case "record":
      return fc.dictionary(text, fitting(schema.value as Schema), { maxKeys: 4, noNullPrototype: true });
    case "strict_object":
    case "object": {
      const entries = Object.entries(schema.entries as Record<string, Schema>);
      return fc.record(Object.fromEntries(entries.map(([name, inner]) => [name, fitting(inner)])), {
        requiredKeys: entries.filter(([, inner]) => inner.type !== "optional").map(([name]) => name),
        noNullPrototype: true,
      });
    }
    default:
      return anything;
  }
}

/**
 * Arguments of one kind of resource on one service: right ones, of which up to three fields are changed.
 * @param base what is right
 * @param hints values of fields that a table can't tell, such as names of stores
 * @param others names of fields that other services have
 */
export function argumentsOf(
  table: FieldTable,
  base: Values,
  hints: Record<string, fc.Arbitrary<unknown>>,
  others: readonly string[],
): fc.Arbitrary<Values> {
  const own = Object.entries(table.fields).filter(([name]) => name !== "service" && name !== "resource");
  const valuesOf = ([name, field]: [string, Field]) => {
    const fits = fitting(field.schema as unknown as Schema);
    const hint = hints[name];
    return fc.oneof(
      { weight: 9, arbitrary: hint === undefined ? fits : fc.oneof({ weight: 3, arbitrary: hint }, fits) },
      { weight: 1, arbitrary: anything },
    );
  };
  const change = fc.oneof(
    { weight: 16, arbitrary: fc.oneof(...own.map(entry => fc.tuple(fc.constant(entry[0]), valuesOf(entry)))) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...oddNames, ...others), anything) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...Object.keys(base)), fc.constant(undefined)) },
  );
  return fc.array(change, { minLength: 1, maxLength: 3 }).map(changes => ({ ...base, ...Object.fromEntries(changes) }));
}
