import * as pulumi from "@pulumi/pulumi";
import type { Functions } from "../../provider/functions/index.ts";
import { answerOf, currentMocks } from "./mocks.ts";

/** By the run of a program: the Automation API runs several in one process, each with its stack's connections. */
const functions = new WeakMap<object, Promise<Functions>>();
/** A program without an engine, as in a unit test. */
const noRun = {};

/** What the functions do is loaded at the first call of one: a program that calls none starts as fast as without them. */
function loaded(): Promise<Functions> {
  const run = pulumi.runtime.getStackResource() ?? noRun;
  let opened = functions.get(run);
  if (opened === undefined) {
    opened = import("../../provider/functions/index.ts").then(({ openFunctions }) =>
      openFunctions({ get: stackConfig }, process.env, warning => void pulumi.log.warn(warning)),
    );
    functions.set(run, opened);
  }
  return opened;
}

/** A value of the stack's configuration, decrypted: it goes into requests, and nowhere else. */
function stackConfig(key: string): string | undefined {
  const [namespace, name] = key.split(":") as [string, string];
  return new pulumi.Config(namespace).get(name);
}

/** Calls a function of the provider in the program's own process; in a unit test, the mocks' `call`. */
export async function call<K extends keyof Functions, Result>(
  name: K,
  args: object,
  ...rest: unknown[]
): Promise<Result> {
  const mocks = currentMocks();
  if (mocks !== undefined) return (await answerOf(mocks, name, args)) as Result;
  const call = (await loaded())[name] as (args: object, ...rest: unknown[]) => Promise<unknown>;
  try {
    return (await call(args, ...rest)) as Result;
  } catch (error) {
    throw readable(error);
  }
}

/** Calls it once the inputs are known. */
export function callOutput<Args extends object, Result>(
  args: Args,
  call: (args: never) => Promise<Result>,
): pulumi.Output<Result> {
  return pulumi.output(args).apply(known => call(known as never)) as pulumi.Output<Result>;
}

/** Where nobody catches such an error, Pulumi shows its stack, or its message: that says what to do, and frames of this package don't. */
function readable(error: unknown): unknown {
  if (error instanceof Error && error.name === "ImagesError") {
    if (process.env.PULUMI_IMAGES_DEBUG !== "1") error.stack = error.message;
    Object.defineProperty(error, "__pulumiRunError", { value: true, configurable: true });
  }
  return error;
}
