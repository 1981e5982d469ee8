import type { ConfigReader } from "../connection.ts";
import { warningsSent } from "../engine.ts";
import { UnfinishedError } from "../errors.ts";
import type { Problem } from "../fields/field.ts";
import type { ImageFacts, Values } from "../services/service.ts";

/** The verbs that the engine's dynamic-provider process calls. Source: pulumi/pulumi sdk/nodejs/dynamic and cmd/dynamic-provider. */
export interface Provider {
  configure(request: { config: ConfigReader }): Promise<void>;
  /** @param olds the state's inputs, empty at a create; @param news the program's */
  check(olds: Values, news: Values): Promise<{ inputs: Values; failures?: Failure[] }>;
  /** @param olds the state's OUTPUTS; @param news the checked inputs. Where `changes` is undefined, the engine compares the inputs itself. */
  diff(
    id: string,
    olds: Values,
    news: Values,
  ): Promise<{ changes: boolean | undefined; replaces: string[]; deleteBeforeReplace?: boolean }>;
  create(inputs: Values): Promise<{ id: string; outs: Values }>;
  /** An empty id says that the thing is gone. @param props the state's outputs, or a program's inputs at a read by id */
  read(id: string, props: Values): Promise<{ id: string; props: Values; inputs?: Values }>;
  update(id: string, olds: Values, news: Values): Promise<{ outs: Values }>;
  delete(id: string, props: Values): Promise<void>;
}

export interface Failure {
  property: string;
  reason: string;
}

export function toFailures(problems: readonly Problem[]): Failure[] {
  return problems.map(({ property, reason }) => ({ property, reason }));
}

/** An error that the engine saves as a partly made resource: it looks for these three fields on what is thrown. */
interface PartlyMade extends Error {
  id?: string;
  properties?: Values;
  reasons?: string[];
}

/** Turns what left something unfinished behind into what the engine saves in the state; other errors stay as they are. */
export function partly(error: unknown, outputs: (facts: ImageFacts) => Values): unknown {
  if (!(error instanceof UnfinishedError)) return error;
  const partlyMade: PartlyMade = error;
  partlyMade.id = error.facts.id;
  partlyMade.properties = outputs(error.facts);
  partlyMade.reasons = [error.message];
  return partlyMade;
}

/** A provider whose answers come after its warnings: the engine may end this process as soon as it has the last answer. */
export function warningFirst(provider: Provider): Provider {
  const { configure, check, diff, create, read, update } = provider;
  return {
    configure,
    check: (...given) => afterWarnings(check(...given)),
    diff: (...given) => afterWarnings(diff(...given)),
    create: (...given) => afterWarnings(create(...given)),
    read: (...given) => afterWarnings(read(...given)),
    update: (...given) => afterWarnings(update(...given)),
    delete: (...given) => afterWarnings(provider.delete(...given)),
  };
}

async function afterWarnings<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    await warningsSent();
  }
}
