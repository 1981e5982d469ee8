import { ImagesError } from "../errors.ts";
import { hasUnknown, type Kind, type Problem, problemsOf, unknownValue } from "../fields/field.ts";
import { serviceOf, tableOf } from "../runtime.ts";
import type { ImageService, Values } from "../services/service.ts";

/** What a program declares: null says as little as leaving it out, and what loads the provider is the engine's. */
export function declaredIn({ __provider, ...news }: Values): Values {
  return Object.fromEntries(Object.entries(news).filter(([, value]) => value !== null));
}

/**
 * Everything that is wrong with the inputs of a resource, found before anything is done: by the service's rules, by signing in, and by
 * what only the cloud knows.
 * @param ask what only the cloud knows; asked when everything else is right
 */
export async function problemsIn(
  kind: Kind,
  inputs: Values,
  ask: (service: ImageService) => Promise<Problem[]>,
): Promise<Problem[]> {
  if (inputs.service === unknownValue) return [{ property: "service", reason: "service must be known at preview" }];
  try {
    const problems = problemsOf(tableOf(kind, inputs.service), inputs);
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
