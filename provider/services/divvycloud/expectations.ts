import { isDeepStrictEqual } from "node:util";
import { ImagesError } from "../../errors.ts";
import type { ImageFacts, Values } from "../service.ts";
import { fixed, fixedCommon } from "./attributes.ts";

const fixedFields = [...Object.keys(fixed), ...Object.keys(fixedCommon)];

/**
 * What is declared and can't be changed through DivvyCloud has to be so already.
 * @throws ImagesError "conflict" that names each field that differs, and what can be done about it
 */
export function demandExpected(facts: ImageFacts, wanted: Values): void {
  const different = fixedFields.filter(
    field => wanted[field] !== undefined && wanted[field] !== null && !isDeepStrictEqual(facts[field], wanted[field]),
  );
  if (different.length === 0) return;
  const list = different.map(
    field => `${field} is ${shown(facts[field])}, not ${shown(wanted[field])} as it is declared`,
  );
  throw new ImagesError("conflict", `image ${facts.id} isn't as expected: ${list.join("; ")}`, {
    hint: `DivvyCloud can change an image's name and nothing else: change it in the cloud itself${typeof facts.cloud === "string" ? ` (${facts.cloud})` : ""}, or declare what it is, or leave ${different.join(", ")} out`,
  });
}

function shown(value: unknown): string {
  return value === undefined ? "not set" : JSON.stringify(value);
}
