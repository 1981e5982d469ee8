import * as v from "valibot";
import { ImagesError } from "../provider/errors.ts";
import type { FieldTable } from "../provider/fields/field.ts";
import type { Values } from "../provider/services/service.ts";

/**
 * Filters as a person writes them, in the form that getImages takes: `status=active`, `tags=golden,lts`, `protected=true`,
 * `properties.os_distro=ubuntu`. What a value has to be is the service's own table's to say.
 */
export function parseFilters(texts: readonly string[], table: FieldTable): Values {
  const filters: Values = {};
  for (const text of texts) {
    const [, name = "", key, value = ""] = /^([^=.]+)(?:\.([^=]+))?=(.*)$/s.exec(text) ?? [];
    if (name === "") {
      throw new ImagesError("invalid", `a filter is name=value, not ${JSON.stringify(text)}`);
    }
    if (key === undefined) filters[name] = valueFor(table, name, value);
    else filters[name] = { ...(filters[name] as Values | undefined), [key]: value };
  }
  return filters;
}

/** A text as the field wants it: as it is, as a number or true and false, or as a list. */
function valueFor(table: FieldTable, name: string, text: string): unknown {
  const schema = table.fields[name]?.schema;
  if (schema === undefined) return text;
  const list = text.split(",").map(part => part.trim());
  const readings = list.length > 1 ? [list, text, json(text)] : [text, json(text), list];
  return readings.find(reading => v.safeParse(schema, reading).success) ?? text;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
