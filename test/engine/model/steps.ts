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
  | { step: "plant"; stack: number; n: number };

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

const of = <S extends Step["step"]>(
  step: S,
  fields: {
    [Field in keyof Omit<Extract<Step, { step: S }>, "step">]: fc.Arbitrary<Extract<Step, { step: S }>[Field]>;
  },
): fc.Arbitrary<Step> => fc.record({ step: fc.constant(step), ...fields } as never) as fc.Arbitrary<Step>;

/** Steps in the proportion in which they are to come. */
export function steps(kinds: readonly Kind[], calm: boolean): fc.Arbitrary<Step>[] {
  const kind = fc.constantFrom<Kind>(...kinds, "Image", "Image");
  const trouble = calm ? fc.constant(null) : perhaps;
  const up = of("up", { stack, refresh: fc.boolean(), misfortune: fc.oneof(fc.constant(null), trouble) });
  const declare = of("declare", {
    stack,
    kind,
    name: small,
    data: small,
    fields: small,
    target: any,
    part: fc.nat({ max: 1 }),
  });
  return [
    ...[up, up, up, up, up, up, up, up, up, up],
    ...[declare, declare, declare, declare, declare, declare],
    of("change data", { stack, n: any, data: small }),
    of("change fields", { stack, n: any, fields: small }),
    of("rename", { stack, n: any, to: small, alias: fc.boolean() }),
    of("rename", { stack, n: any, to: small, alias: fc.boolean() }),
    of("reparent", { stack, n: any, alias: fc.boolean() }),
    of("option", { stack, n: any, option: fc.constantFrom("protect", "retainOnDelete", "deleteBeforeReplace") }),
    of("undeclare", { stack, n: any }),
    of("adopt", { stack, name: small, image: any, byName: fc.boolean(), takeOver: fc.boolean(), fields: small }),
    of("adopt", { stack, name: small, image: any, byName: fc.constant(false), takeOver: fc.boolean(), fields: small }),
    of("preview", { stack, refresh: fc.boolean() }),
    of("refresh", { stack, misfortune: trouble }),
    of("destroy", { stack, misfortune: trouble }),
    of("state delete", { stack, n: any }),
    of("state move", { stack, to: any, n: any, declared: fc.boolean() }),
    of("stack rename", { stack, to: small }),
    of("stack rm", { stack }),
    of("second backend", { stack }),
    of("second stack", { stack }),
    of("credentials", { stack }),
    of("outside", { what: fc.constantFrom("delete", "rename", "retag", "untag", "make"), image: any }),
    of("outside", { what: fc.constantFrom("delete", "rename", "retag", "untag", "make"), image: any }),
    of("plant", { stack, n: any }),
  ];
}
