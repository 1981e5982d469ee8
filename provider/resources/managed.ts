import { isDeepStrictEqual } from "node:util";
import { type Field, type FieldTable, hasUnknown, unknownValue } from "../fields/field.ts";
import type { Facts, Values } from "../services/service.ts";

/**
 * What a program declares is managed, what it doesn't isn't. A resource's outputs hold its inputs, what the service reports,
 * and in `managed` the names of the reported fields that the program declares; of a managed map or set that belongs to several
 * (properties, stores) they hold just the declared entries, and with its `exclusive` input what a refresh has found besides.
 */

/** Reported paths that say nothing which the id doesn't: the sdk works them out (sdk/imagePaths.ts), and each state is 160 bytes smaller. */
const derived = ["file", "schema", "self"];

/** The outputs of a resource after it was made or changed. */
export function outputsFrom(table: FieldTable, inputs: Values, facts: Facts): Values {
  const managed = managedIn(table, inputs);
  const { id: _, ...reported } = facts;
  for (const name of derived) delete reported[name];
  const outputs: Values = { ...inputs, ...reported };
  for (const name of managed) {
    if (facts[name] === undefined) delete outputs[name];
    else {
      const field = table.fields[name] as Field;
      const actual = actualOf(field, facts[name], inputs[name]);
      // As it is declared where that means the same (the order of tags): what a refresh finds is held against it.
      outputs[name] = same(field, actual, inputs[name]) ? inputs[name] : actual;
    }
  }
  if (inputs.resource !== undefined) outputs.managed = managed;
  return outputs;
}

/** What changes only when something happened that a user has to know of, whether or not the program declares it. */
const telling = ["status", "state", "owner", "content", "size", "checksum", "hashValue", "digest"];

/**
 * The outputs after a look at the service: what is managed as it is now, and what tells of trouble. Everything else (the time of the last
 * change, fields and properties that the program doesn't declare) stays as this program last left it, so that a refresh shows drift only.
 */
export function refreshedOutputs(table: FieldTable, props: Values, facts: Facts): Values {
  const managed = props.managed as string[];
  const outputs: Values = { ...props };
  for (const name of telling) {
    if (managed.includes(name)) continue;
    if (facts[name] === undefined) delete outputs[name];
    else outputs[name] = facts[name];
  }
  for (const name of managed) {
    const field = table.fields[name];
    const actual = seenOf(field, facts[name], props[name], props);
    if (actual === undefined) delete outputs[name];
    else if (field === undefined || !same(field, actual, props[name])) outputs[name] = actual;
  }
  return outputs;
}

/**
 * The inputs as they would have to be for the program to have brought about what the service reports. Where they differ from
 * the program's, that is the drift.
 * @param props the resource's outputs, as they are in the state
 */
export function inputsFrom(table: FieldTable, props: Values, facts: Facts): Values {
  const managed = props.managed as string[];
  const inputs: Values = {};
  for (const [name, field] of Object.entries(table.fields)) {
    if (managed.includes(name)) {
      const actual = seenOf(field, facts[name], props[name], props);
      // Where nothing that matters differs (the order of tags), the old value stays, so that nothing shows.
      inputs[name] = same(field, actual, props[name]) ? props[name] : actual;
    } else if (!field.reported) inputs[name] = props[name];
  }
  if (props.content !== undefined) inputs.content = facts.content;
  return withoutUndefined(inputs);
}

export interface Changes {
  updates: string[];
  replaces: string[];
  /** Whether anything has to be written. */
  any: boolean;
  change: { wanted: Values; removedProperties: string[]; removedStores: string[] };
}

/** What has to change for a resource with these outputs to become what these inputs say. */
export function changesOf(table: FieldTable, outputs: Values, inputs: Values): Changes {
  const updates: string[] = [];
  const replaces: string[] = [];
  const change: Changes["change"] = { wanted: {}, removedProperties: [], removedStores: [] };
  const before = new Set((outputs.managed as string[] | undefined) ?? []);
  for (const [name, field] of Object.entries(table.fields)) {
    if (field.change === "none") continue;
    const wanted = inputs[name];
    const actual = outputs[name];
    if (field.change === "note") {
      if (!isDeepStrictEqual(actual ?? undefined, wanted ?? undefined)) updates.push(name);
      continue;
    }
    if (wanted === undefined || wanted === null) {
      // No longer declared: left as it is, and no longer watched.
      if (before.has(name)) updates.push(name);
      continue;
    }
    if (isOpen(field, wanted)) {
      // At preview: what is to be written isn't known either.
      (field.change === "replace" ? replaces : updates).push(name);
      continue;
    }
    const compared = before.has(name) || !field.part ? actual : actualOf(field, actual, wanted);
    if (same(field, compared, wanted)) {
      if (field.reported && outputs.managed !== undefined && !before.has(name)) updates.push(name);
      continue;
    }
    if (field.change === "replace") replaces.push(name);
    else {
      updates.push(name);
      if (name === "properties") {
        change.wanted.properties = entriesToSet(compared, wanted);
        change.removedProperties = keysToRemove(compared, wanted);
      } else change.wanted[name] = wanted;
      if (name === "stores")
        change.removedStores = ((compared as string[] | undefined) ?? []).filter(
          store => !(wanted as string[]).includes(store),
        );
    }
  }
  const any = Object.keys(change.wanted).length > 0 || change.removedProperties.length > 0;
  return { updates, replaces, any, change };
}

function managedIn(table: FieldTable, inputs: Values): string[] {
  return Object.keys(inputs)
    .filter(name => table.fields[name]?.reported && inputs[name] !== undefined && inputs[name] !== null)
    .sort();
}

/** Of a set that belongs to several, what the declared entries really are. */
function actualOf(field: Field | undefined, actual: unknown, declared: unknown): unknown {
  if (!field?.part || declared === undefined) return actual;
  // Not shown isn't the same as empty: a service that says nothing of it leaves it as it was.
  if (actual === undefined) return declared;
  if (Array.isArray(declared)) return declared.filter(entry => (actual as unknown[]).includes(entry));
  const entries = Object.entries(actual as Values).filter(([key]) => Object.hasOwn(declared as Values, key));
  return Object.fromEntries(entries);
}

/** What a refresh has to show of it: of a set that the program claims as its own, what somebody else added too. */
function seenOf(field: Field | undefined, actual: unknown, declared: unknown, props: Values): unknown {
  const { exclusive } = field ?? {};
  if (exclusive === undefined || props[exclusive.by] !== true || actual === undefined)
    return actualOf(field, actual, declared);
  const known = (declared ?? {}) as Values;
  const entries = Object.entries(actual as Values);
  return Object.fromEntries(entries.filter(([key]) => Object.hasOwn(known, key) || !exclusive.except(key)));
}

/** Whether it can't be told yet what it is to be. */
function isOpen(field: Field, wanted: unknown): boolean {
  return wanted === unknownValue || (hasUnknown(wanted) && !field.comparesKnown);
}

function same(field: Field, actual: unknown, wanted: unknown): boolean {
  if (isOpen(field, wanted)) return false;
  // 0 and -0 are equal, but not deeply so.
  return field.same?.(actual, wanted) ?? (actual === wanted || isDeepStrictEqual(actual, wanted));
}

function entriesToSet(actual: unknown, wanted: unknown): Values {
  const before = (actual ?? {}) as Values;
  return Object.fromEntries(Object.entries(wanted as Values).filter(([key, value]) => before[key] !== value));
}

function keysToRemove(actual: unknown, wanted: unknown): string[] {
  return Object.keys((actual ?? {}) as Values).filter(key => !Object.hasOwn(wanted as Values, key));
}

function withoutUndefined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
