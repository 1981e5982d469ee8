import type { FieldTable } from "../../provider/fields/field.ts";
import { problemsOf } from "../../provider/fields/field.ts";
import type { ImageFacts, Values } from "../../provider/services/service.ts";

/** What belongs to others, too, or is better managed by itself: members by ImageMember, stores and owners by nobody. */
const left = ["members", "stores", "owner"];

/** Properties that clients write for themselves. */
const bookkeeping = /^(owner_specified\.openstack\.|os_glance)/;

/** What a program would declare of an image so that it is what it is, and what couldn't be said. */
export interface Declaration {
  args: Values;
  /** Why a field is left out. */
  notes: string[];
}

/**
 * Every field that the service reports and a program may declare, as it is. What says nothing is left out: false, 0, an empty text, list or map,
 * and a state that is the usual one; and what isn't declared isn't managed.
 * @param table what a program may declare of an Image on this service
 */
export function declarationOf(table: FieldTable, image: ImageFacts, where: Values): Declaration {
  const args: Values = { ...where, adopt: { id: image.id } };
  for (const [name, { reported, change }] of Object.entries(table.fields)) {
    const value = name === "properties" ? ownProperties(image.properties) : image[name];
    if (!reported || (change !== "update" && change !== "replace") || left.includes(name)) continue;
    if (!saysNothing(name, value)) args[name] = value;
  }
  const notes: string[] = [];
  for (const { property, reason } of problemsOf(table, args)) {
    const field = property.split(/[.[]/)[0] as string;
    delete args[field];
    notes.push(`${field} is left out: ${reason}`);
  }
  return { args, notes };
}

function saysNothing(name: string, value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return true;
  if (typeof value === "object") return Object.keys(value).length === 0;
  return name === "state" && value !== "deactivated";
}

/** In the order of their names: a service may list them in another one each time. */
function ownProperties(properties: unknown): Values {
  const own = Object.entries((properties ?? {}) as Values).filter(([name]) => !bookkeeping.test(name));
  return Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}
