import * as pulumi from "@pulumi/pulumi";
import { publicUrl } from "../shared/publicUrl.ts";
import { childName, kindOf } from "../shared/resourceName.ts";
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

/** At once where there is no parent; else a plain promise, see `urnOf`. */
function resourceOf(kind: string, name: string, parent: pulumi.Resource | undefined): string | Promise<string> {
  if (!parent) return `${pulumi.getStack()}::${pulumi.getProject()}::${kind}::${name}`;
  return urnOf(parent).then(urn => childName(urn, kind, name));
}

/** The urns of parents: a component of a thousand images is asked once. */
const urns = new WeakMap<pulumi.Resource, Promise<string>>();

/**
 * A resource's urn without the resource. An Output of a component depends on all of the component's children, so that of two children with such an
 * input each waits for the other, the program ends before either is registered, and the engine deletes what it takes for no longer declared.
 */
function urnOf(resource: pulumi.Resource): Promise<string> {
  let urn = urns.get(resource);
  if (urn === undefined) {
    urn = pulumi.runtime.serializeProperty("urn", resource.urn) as Promise<string>;
    urns.set(resource, urn);
  }
  return urn;
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
  const { url, headers, checksums } = declared;
  if (url === undefined) return source;
  // An error here then ends the program at this line. One within an Output comes too late for an inline program of the Automation API:
  // the engine would delete the image as no longer declared.
  if (isPlain([url, headers, checksums])) return sealedOf(declared, url, headers, checksums);
  return pulumi
    .all([url, headers, checksums])
    .apply(([url, headers, checksums]) => sealedOf(declared, url, headers, checksums));
}

function sealedOf(declared: object, url: unknown, headers: unknown, checksums: unknown): object {
  const shown = { url: shownText(url), checksums: shownText(checksums) };
  const secret = headers !== undefined || shown.url !== url || shown.checksums !== checksums;
  const { headers: _, ...rest } = declared as { headers?: unknown };
  return { ...rest, ...shown, ...(secret ? { sealed: seal(JSON.stringify({ url, headers, checksums })) } : {}) };
}

/** Whether there is no Output and no promise in a value. */
function isPlain(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return !pulumi.Output.isInstance(value) && !(value instanceof Promise) && Object.values(value).every(isPlain);
}

function shownText(url: unknown): unknown {
  return typeof url === "string" ? publicUrl(url) : url;
}
