import * as pulumi from "@pulumi/pulumi";
import { loaderOf } from "./loader.ts";

/**
 * What every resource of this package sends beside its arguments: the loader, which resource it is (its urn: for its mark on the
 * service, and for its progress to show in its own line), and its customTimeouts, which the engine doesn't hand on. A read by id needs
 * just the loader.
 */
export function markedInputs(
  type: string,
  provider: Parameters<typeof loaderOf>[0],
  name: string,
  args: object,
  opts: pulumi.CustomResourceOptions | undefined,
): Record<string, unknown> {
  const inputs = { ...args, __provider: loaderOf(provider) };
  if (opts?.id !== undefined) return inputs;
  return {
    ...inputs,
    ...("source" in args ? { source: withSecretHeaders(args.source) } : {}),
    resource: pulumi.createUrn(name, type, opts?.parent),
    ...(opts?.customTimeouts === undefined ? {} : { timeouts: opts.customTimeouts }),
  };
}

/** Headers of a private source are secret whether or not the program says so. */
function withSecretHeaders(source: unknown): unknown {
  if (typeof source !== "object" || source === null || !("headers" in source) || source.headers === undefined)
    return source;
  return { ...source, headers: pulumi.secret(source.headers) };
}
