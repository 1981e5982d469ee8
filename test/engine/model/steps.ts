import fc from "fast-check";
import type { Kind } from "./provider.ts";

/** What can befall a run at one of its requests. */
export interface Misfortune {
  what: "kill" | "cancel" | "500" | "gone" | "cut" | "proxy";
  /** At which of its requests. */
  at: number;
  /** Before the service gets that request, or in place of its answer. */
  side: "before" | "after";
}

/** A step of a life. Numbers choose among what is there, whatever that is by then. */
export type Step =
  | {
      step: "declare";
      stack: number;
      kind: Kind;
      name: number;
      data: number;
      fields: number;
      target: number;
      part: number;
    }
  | { step: "change data"; stack: number; n: number; data: number }
  | { step: "change fields"; stack: number; n: number; fields: number }
  | { step: "rename"; stack: number; n: number; to: number; alias: boolean }
  | { step: "reparent"; stack: number; n: number; alias: boolean }
  | { step: "option"; stack: number; n: number; option: "protect" | "retainOnDelete" | "deleteBeforeReplace" }
  | { step: "undeclare"; stack: number; n: number }
  | { step: "adopt"; stack: number; name: number; image: number; byName: boolean; takeOver: boolean; fields: number }
  | { step: "preview"; stack: number; refresh: boolean }
  | { step: "up"; stack: number; refresh: boolean; misfortune: Misfortune | null }
  | { step: "refresh"; stack: number; misfortune: Misfortune | null }
  | { step: "destroy"; stack: number; misfortune: Misfortune | null }
  | { step: "state delete"; stack: number; n: number }
  | { step: "state move"; stack: number; to: number; n: number; declared: boolean }
  | { step: "stack rename"; stack: number; to: number }
  | { step: "stack rm"; stack: number }
  | { step: "second backend"; stack: number }
  | { step: "second stack"; stack: number }
  | { step: "credentials"; stack: number }
  | { step: "outside"; what: "delete" | "rename" | "retag" | "untag" | "make"; image: number }
  | { step: "forbid" }
  | { step: "plant"; stack: number; n: number; unfinished: boolean };

const small = fc.nat({ max: 2 });
/** Mostly the first stack, so that lives have depth. */
const stack = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 2 }) });
const any = fc.nat({ max: 30 });
const misfortune: fc.Arbitrary<Misfortune> = fc.record({
  what: fc.constantFrom("kill", "kill", "kill", "cancel", "500", "gone", "cut", "proxy"),
  at: fc.nat({ max: 9 }),
  side: fc.constantFrom("before", "after"),
});
const perhaps = fc.option(misfortune, { freq: 3 });

type Fields<S extends Step["step"]> = {
  [Field in keyof Omit<Extract<Step, { step: S }>, "step">]: fc.Arbitrary<Extract<Step, { step: S }>[Field]>;
};

/**
 * Steps in the proportion in which they are to come.
 * @param calm nothing befalls a run
 * @param without names of steps that don't come
 */
export function steps(
  kinds: readonly Kind[],
  { calm = false, without = [] }: { calm?: boolean; without?: readonly string[] },
): fc.Arbitrary<Step>[] {
  const all: fc.Arbitrary<Step>[] = [];
  const add = <S extends Step["step"]>(times: number, step: S, fields: Fields<S>) => {
    const arbitrary = fc.record({ step: fc.constant(step), ...fields } as never) as fc.Arbitrary<Step>;
    if (!without.includes(step)) for (let n = 0; n < times; n++) all.push(arbitrary);
  };
  const flag = fc.boolean();
  const kind = fc.constantFrom<Kind>(...kinds, "Image", "Image");
  const trouble = calm ? fc.constant(null) : perhaps;
  add(10, "up", { stack, refresh: flag, misfortune: fc.oneof(fc.constant(null), trouble) });
  add(6, "declare", { stack, kind, name: small, data: small, fields: small, target: any, part: fc.nat({ max: 1 }) });
  add(1, "change data", { stack, n: any, data: small });
  add(1, "change fields", { stack, n: any, fields: small });
  add(2, "rename", { stack, n: any, to: small, alias: flag });
  add(1, "reparent", { stack, n: any, alias: flag });
  add(1, "option", { stack, n: any, option: fc.constantFrom("protect", "retainOnDelete", "deleteBeforeReplace") });
  add(1, "undeclare", { stack, n: any });
  const byName = fc.oneof({ weight: 2, arbitrary: fc.constant(false) }, fc.constant(true));
  add(2, "adopt", { stack, name: small, image: any, byName, takeOver: flag, fields: small });
  add(1, "preview", { stack, refresh: flag });
  add(1, "refresh", { stack, misfortune: trouble });
  add(1, "destroy", { stack, misfortune: trouble });
  add(1, "state delete", { stack, n: any });
  add(1, "state move", { stack, to: any, n: any, declared: flag });
  add(1, "stack rename", { stack, to: small });
  add(1, "stack rm", { stack });
  add(1, "second backend", { stack });
  add(1, "second stack", { stack });
  add(1, "credentials", { stack });
  add(2, "outside", { what: fc.constantFrom("delete", "rename", "retag", "untag", "make"), image: any });
  add(1, "plant", { stack, n: any, unfinished: flag });
  add(1, "forbid", {});
  return all;
}
