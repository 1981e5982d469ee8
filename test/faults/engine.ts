import assert from "node:assert/strict";
import type { ServiceError } from "@grpc/grpc-js";
import type { Kind } from "../../provider/fields/field.ts";
import { ownerTagOf } from "../../provider/reconcile/ownership.ts";
import { ProviderProcess } from "../engine/providerProcess.ts";
import type { Values } from "./place.ts";

/** What the engine's state has of a resource. */
export interface State {
  id: string;
  inputs: Values;
  outs: Values;
  /** Was only partly made: the next up updates it, whatever its diff says. */
  partly: boolean;
}

/** A step that failed; what the state has of the resource all the same, if anything. */
export class StepFailed extends Error {
  override name = "StepFailed";
  readonly state: State | undefined;

  constructor(cause: unknown, state: State | undefined) {
    super((cause as Partial<ServiceError>).details ?? (cause as Error).message, { cause });
    this.state = state;
  }
}

/** What a step fails with. */
export async function failureOf(step: Promise<unknown>): Promise<StepFailed> {
  const failure = await step.then(
    () => assert.fail("it ended well"),
    error => error,
  );
  assert.ok(failure instanceof StepFailed, String(failure));
  return failure;
}

const providers = { Image: "image", ImageMember: "imageMember", ImageTag: "imageTag", ImageCopy: "imageCopy" } as const;

export function urnOf(kind: Kind, name: string): string {
  return `urn:pulumi:dev::faults::pulumi-nodejs:dynamic/images:${kind}::${name}`;
}

export function resourceMarkOf(kind: Kind, name: string): string {
  return ownerTagOf(urnOf(kind, name), 0).resource;
}

/** What the engine does with one resource in an `up`: check, diff, create or update, and replace. */
export async function up(
  provider: ProviderProcess,
  kind: Kind,
  name: string,
  args: Values,
  state: State | undefined,
): Promise<State> {
  const check = (known: State | undefined) => checked(provider, kind, name, args, known);
  const inputs = await check(state);
  if (state === undefined) return await create(provider, inputs, undefined);
  const { changes, replaces } = await step(() => provider.diff(state.id, state.outs, inputs), state);
  if (replaces.length > 0) {
    const made = await create(provider, await check(undefined), state);
    await remove(provider, state);
    return made;
  }
  if (!changes && !state.partly) return state;
  try {
    const outs = await provider.update(state.id, state.outs, inputs);
    return { id: state.id, inputs, outs, partly: false };
  } catch (error) {
    throw new StepFailed(error, madeOf(error, inputs) ?? state);
  }
}

export async function refresh(provider: ProviderProcess, state: State): Promise<State | undefined> {
  const { id, outputs: outs, inputs } = await step(() => provider.read(state.id, state.outs), state);
  return id === "" ? undefined : { id, outs, inputs, partly: state.partly };
}

export async function remove(provider: ProviderProcess, state: State): Promise<void> {
  await step(() => provider.delete(state.id, state.outs), state);
}

async function checked(
  provider: ProviderProcess,
  kind: Kind,
  name: string,
  args: Values,
  state: State | undefined,
): Promise<Values> {
  const { inputs, failures } = await step(
    () => provider.checkInputs(providers[kind], args, { olds: state?.inputs ?? {}, resource: urnOf(kind, name) }),
    state,
  );
  if (failures.length === 0) return inputs;
  throw new StepFailed(new Error(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n")), state);
}

async function create(provider: ProviderProcess, inputs: Values, replaced: State | undefined): Promise<State> {
  try {
    const { id, outputs: outs } = await provider.create(inputs);
    return { id, outs, inputs, partly: false };
  } catch (error) {
    throw new StepFailed(error, madeOf(error, inputs) ?? replaced);
  }
}

function madeOf(error: unknown, inputs: Values): State | undefined {
  const made = ProviderProcess.madeBy(error);
  return made && { id: made.id, outs: made.outputs, inputs, partly: true };
}

async function step<T>(work: () => Promise<T>, state: State | undefined): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new StepFailed(error, state);
  }
}
