import { isDeepStrictEqual } from "node:util";
import { urnOf } from "../../shared/resourceName.ts";
import type { Values } from "../services/service.ts";

/** The inputs that the state has of each resource, as this process has been told by the engine's checks. */
const known = new Map<string, Values>();

/**
 * Notes a resource's inputs in the state. The engine checks a resource that is going to be replaced twice: with what the state has, and then once
 * more as if there were nothing.
 * @param olds empty when the state has none
 */
export function noteInputs(resource: unknown, olds: Values): void {
  if (Object.keys(olds).length > 0) known.set(urnOf(String(resource)), olds);
}

/** The inputs of what a resource that is checked as a new one is going to replace, as far as this process has been told. */
export function inputsOfReplaced(resource: unknown, olds: Values): Values | undefined {
  return Object.keys(olds).length > 0 ? undefined : known.get(urnOf(String(resource)));
}

/**
 * How often a resource has been replaced. What replaces it gets the next generation, so that the new image's mark isn't the old one's, and a repeat
 * of an interrupted replacement comes to the same number again.
 */
export function generationOf(resource: unknown, olds: Values): number {
  const replaced = inputsOfReplaced(resource, olds);
  return replaced === undefined ? Number(olds.generation ?? 0) : Number(replaced.generation ?? 0) + 1;
}

/**
 * What a diff says of a resource that is changed in place. Pulumi's process for dynamic providers doesn't pass on which inputs changed, which the
 * engine needs for `replaceOnChanges`; where a diff says nothing, the engine compares the inputs itself. That is left to it where it finds a
 * difference: a change can be for something else, such as data that the image still waits for.
 * @returns undefined: let the engine compare
 */
export function changedIn(news: Values): true | undefined {
  const olds = known.get(urnOf(String(news.resource)));
  return olds === undefined || isDeepStrictEqual(defined(olds), defined(news)) ? true : undefined;
}

function defined(values: Values): Values {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));
}
