import * as pulumi from "@pulumi/pulumi";
import { publicUrl } from "../shared/publicUrl.ts";
import { kindOf, resourceName } from "../shared/resourceName.ts";
import { seal } from "../shared/seal.ts";
import { loaderOf } from "./loader.ts";

/**
 * What every resource of this package sends beside its arguments: the loader, which resource it is (for its mark on the
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
    ...("source" in args ? { source: sealedSource(args.source) } : {}),
    resource: resourceOf(kindOf(type), name, opts?.parent),
    ...(opts?.customTimeouts === undefined ? {} : { timeouts: opts.customTimeouts }),
  };
}

/** Without a parent it isn't worth an Output, whose promises cost more than all the rest of this file. */
function resourceOf(kind: string, name: string, parent: pulumi.Resource | undefined): pulumi.Input<string> {
  if (parent === undefined) return `${pulumi.getStack()}::${pulumi.getProject()}::${kind}::${name}`;
  return pulumi.createUrn(name, kind, parent).apply(resourceName);
}

/**
 * What is secret in a source (request headers, a url's password or signature) goes to the provider sealed, and the rest as it is: neither
 * the state nor the engine's logs ever see it.
 */
function sealedSource(source: unknown): unknown {
  // An Output seems to have every property that it is asked for.
  if (pulumi.Output.isInstance(source)) return source.apply(sealedSource);
  if (typeof source !== "object" || source === null) return source;
  const declared = source as { url?: unknown; headers?: unknown; checksums?: unknown };
  if (declared.url === undefined) return source;
  return pulumi.all([declared.url, declared.headers, declared.checksums]).apply(([url, headers, checksums]) => {
    const shown = { url: shownText(url), checksums: shownText(checksums) };
    const secret = headers !== undefined || shown.url !== url || shown.checksums !== checksums;
    const { headers: _, ...rest } = declared;
    return { ...rest, ...shown, ...(secret ? { sealed: seal(JSON.stringify({ url, headers, checksums })) } : {}) };
  });
}

function shownText(url: unknown): unknown {
  return typeof url === "string" ? publicUrl(url) : url;
}
