import type * as pulumi from "@pulumi/pulumi";

/** The same type with each value, however deep, allowed to be an input. */
export type Inputs<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends object
    ? { [K in keyof T]: pulumi.Input<Inputs<T[K]>> }
    : T;
