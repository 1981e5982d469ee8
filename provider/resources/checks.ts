import { ImagesError } from "../errors.ts";
import {
  type FieldTable,
  hasUnknown,
  type Kind,
  type Problem,
  problemsOf,
  rootOf,
  unknownValue,
} from "../fields/field.ts";
import { serviceOf, tableOf } from "../runtime.ts";
import type { ImageService, Values } from "../services/service.ts";
import { type Ignored, takeIgnored } from "./ignored.ts";

/**
 * What a program declares: null says as little as leaving it out, and what loads the provider is the engine's.
 * @param olds the resource's inputs in the state
 * @returns with what of it stays as the state has it
 */
export function declaredIn(kind: Kind, olds: Values, { __provider, ...news }: Values): [Values, Ignored] {
  const inputs = Object.fromEntries(Object.entries(news).filter(([, value]) => value !== null));
  return [inputs, takeIgnored(fieldsOf(kind, inputs), inputs, olds)];
}

/** None where the service is wrong, which another check says. */
function fieldsOf(kind: Kind, { service }: Values): Pick<FieldTable, "fields"> {
  try {
    return tableOf(kind, service);
  } catch (error) {
    if (error instanceof ImagesError) return { fields: {} };
    throw error;
  }
}

/**
 * Everything that is wrong with the inputs of a resource, found before anything is done: by the service's rules, by signing in, and by
 * what only the cloud knows.
 * @param ignored what isn't the program's own, but the state's: somebody else may have changed it to what no program could declare
 * @param ask what only the cloud knows; asked when everything else is right
 */
export async function problemsIn(
  kind: Kind,
  inputs: Values,
  ignored: Ignored,
  ask: (service: ImageService) => Promise<Problem[]>,
): Promise<Problem[]> {
  if (inputs.service === unknownValue) return [{ property: "service", reason: "service must be known at preview" }];
  try {
    const problems = problemsOf(tableOf(kind, inputs.service), inputs).filter(
      ({ property }) => !ignored.has(rootOf(property)),
    );
    if (problems.length > 0 || hasUnknown(inputs.connection)) return problems;
  } catch (error) {
    return [problemOf("service", error)];
  }
  try {
    const service = serviceOf(inputs);
    await service.signIn();
    return await ask(service);
  } catch (error) {
    return [problemOf(inputs.connection === undefined ? "service" : "connection", error)];
  }
}

/** An error of ours as a problem of an input; any other error is a fault of this program, and thrown. */
export function problemOf(property: string, error: unknown): Problem {
  if (error instanceof ImagesError) return { property, reason: error.message };
  throw error;
}
