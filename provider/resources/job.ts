import { urnOf } from "../../shared/resourceName.ts";
import { showProgress, warn } from "../engine.ts";
import { claims } from "../reconcile/claims.ts";
import { described } from "../services/keys.ts";
import type { Job, Values } from "../services/service.ts";
import { stopping } from "../shutdown.ts";

/** How long each verb may take when the program sets no customTimeouts. */
const defaultMinutes = { create: 60, update: 60, delete: 30 } as const;

/** The engine's side of a piece of work: where its progress shows and when it has to end. */
export function jobOf(verb: keyof typeof defaultMinutes, inputs: Values): Job {
  const urn = urnOf(String(inputs.resource ?? ""));
  const limit = (inputs.timeouts as Partial<Record<typeof verb, string>> | undefined)?.[verb];
  const ms = limit === undefined ? defaultMinutes[verb] * 60_000 : milliseconds(limit);
  return {
    report: text => showProgress(urn, text),
    warn: text => warn(text, urn),
    stays(key) {
      const keeper = claims.keeper(key, urn, inputs.run as string | undefined);
      // An older one of the same name that is replaced has nothing to tell; what was adopted under an image's old name has.
      if (keeper?.other || (keeper && key.kind === "image"))
        warn(`${described(key)} stays: the ${keeper.name} declares it`, urn);
      return keeper !== undefined;
    },
    signal: stopping,
    deadline: Date.now() + ms,
    label: urn.split("::").at(-1) ?? "",
  };
}

/** How long a service may take to notice that a connection has ended. */
const momentMs = 10_000;

/** Work that is done while changes are looked for, and has to be short. */
export function momentOf(inputs: Values): Job {
  return { ...jobOf("update", inputs), deadline: Date.now() + momentMs };
}

const unitMs: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A duration as Go writes it ("1h30m"), which is the form of customTimeouts. */
export function milliseconds(duration: string): number {
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(amount) * (unitMs[unit as string] as number);
  return total;
}
