/** What stands for a value that the engine doesn't know yet at preview. Source: pulumi/pulumi sdk/nodejs/runtime/rpc.ts. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value, or anything within it, is not known yet. */
export function hasUnknown(value: unknown): boolean {
  if (value === unknownValue) return true;
  if (Array.isArray(value)) return value.some(hasUnknown);
  if (typeof value === "object" && value !== null) return Object.values(value).some(hasUnknown);
  return false;
}

/** The same without what is not known yet, however deep: for what is asked of a service about the values. */
export function knownIn(values: Record<string, unknown>): Record<string, unknown> {
  const known = Object.entries(values).filter(([, value]) => value !== unknownValue);
  return Object.fromEntries(known.map(([name, value]) => [name, knownWithin(value)]));
}

function knownWithin(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter(entry => entry !== unknownValue).map(knownWithin);
  return typeof value === "object" && value !== null ? knownIn(value as Record<string, unknown>) : value;
}
