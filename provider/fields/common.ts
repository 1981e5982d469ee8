import * as v from "valibot";
import type { ServiceName } from "../services/names.ts";
import type { Field } from "./field.ts";
import { flag, record, text, uuid } from "./values.ts";

const duration = text({
  what: "a time limit",
  pattern: /^(\d+(\.\d+)?(h|m|s|ms))+$/,
  form: 'a duration such as "90s", "30m" or "1h30m"',
});

/** The inputs that every kind of resource has, on every service. */
export function commonFields(service: ServiceName): Record<string, Field> {
  return {
    service: { schema: v.literal(service), change: "replace", required: true },
    connection: { schema: text({ what: "connection", min: 1, max: 255 }), change: "none" },
    // What the sdk adds: which resource this is, its customTimeouts, and its ignoreChanges, which the check takes out again.
    resource: { schema: v.string(), change: "none", by: "sdk" },
    timeouts: {
      schema: record("customTimeouts", {
        create: v.optional(duration),
        update: v.optional(duration),
        delete: v.optional(duration),
      }),
      change: "note",
      by: "sdk",
    },
    ignored: { schema: v.array(v.string()), change: "none", by: "sdk" },
    // What check adds: see resources/image.ts.
    generation: { schema: v.number(), change: "none", by: "check" },
  };
}

/** The inputs that an Image has on every service. */
export function commonImageFields(service: ServiceName): Record<string, Field> {
  return {
    ...commonFields(service),
    source: { schema: v.looseObject({}, "source must be an object such as { file } or { url }"), change: "none" },
    content: { schema: v.string(), change: "replace", by: "check" },
    adopt: { schema: adoptSchema(uuid("adopt.id")), change: "none" },
  };
}

/** How an existing image comes under management. */
export function adoptSchema(id: v.GenericSchema<unknown>) {
  const form = "adopt must be { id } or { name }; takeOver goes with id";
  return v.union(
    [
      record("adopt", { id, takeOver: v.optional(flag("adopt.takeOver")) }),
      record("adopt", { name: text({ what: "adopt.name", min: 1 }) }),
    ],
    issue =>
      // Both alternatives were tried: what went wrong within the one that was meant says more.
      issue.issues?.find(inner => inner.path !== undefined && inner.expected !== "never" && inner.input !== undefined)
        ?.message ?? form,
  );
}
