import * as pulumi from "@pulumi/pulumi";
import { publicUrl } from "../shared/publicUrl.ts";
import { childName, kindOf } from "../shared/resourceName.ts";
import { seal } from "../shared/seal.ts";
import { secrecyMark } from "../shared/secrecy.ts";
import { loaderOf } from "./loader.ts";

/**
 * What every resource of this package sends beside its arguments: the loader, which resource it is (for its mark on the
 * service, and for its progress to show in its own line), its customTimeouts, which the engine doesn't hand on, and its ignoreChanges, which
 * the engine can't apply to what a check works out. A read by id needs just the loader.
 */
export function markedInputs(
  type: string,
  provider: Parameters<typeof loaderOf>[0],
  name: string,
  args: object,
  opts: pulumi.CustomResourceOptions | undefined,
): Record<string, unknown> {
  refuseOptions(kindOf(type), name, opts ?? {});
  const inputs = { ...args, __provider: loaderOf(provider) };
  if (opts?.id !== undefined) return inputs;
  return {
    ...inputs,
    ...("source" in args ? { source: sealedSource(args.source) } : {}),
    resource: resourceOf(kindOf(type), name, opts?.parent),
    ...(opts?.customTimeouts === undefined ? {} : { timeouts: opts.customTimeouts }),
    ...(opts?.ignoreChanges?.length ? { ignored: opts.ignoreChanges } : {}),
  };
}

/**
 * The options for the engine: without the paths into what only a check sets, of which it would say that it can't ignore them. The provider does.
 */
export function engineOptions<T extends pulumi.CustomResourceOptions>(
  args: object,
  opts: T | undefined,
): T | undefined {
  if (!opts?.ignoreChanges) return opts;
  const ignoreChanges = opts.ignoreChanges.filter(path => {
    const [root = "", ...within] = path.split(/[.[]/);
    return within.length === 0 || root === "" || root in args;
  });
  return { ...opts, ignoreChanges };
}

/**
 * Options that can't work. What is imported, the engine reads before a program has said which provider it is of, so that nothing of this package is asked. And
 * a provider of another package knows none of these resources.
 */
function refuseOptions(kind: string, name: string, { import: id, provider }: pulumi.CustomResourceOptions): void {
  const refuse = (option: string, why: string) => {
    throw new pulumi.RunError(`${kind} ${JSON.stringify(name)} has the option ${option}, but ${why}`);
  };
  if (id !== undefined)
    refuse("import", `importing isn't possible for dynamic resources. Instead, ${insteadOfImport(kind, id)}`);
  if (provider !== undefined && packageOf(provider) !== dynamicPackage)
    refuse("provider", "the account that it is in is named by its argument connection. Leave the option out");
}

/** The package of Pulumi's process for dynamic providers. */
const dynamicPackage = "pulumi-nodejs";

/** Pulumi's types leave out what they mark as internal. */
function packageOf(provider: pulumi.ProviderResource): string {
  return (provider as unknown as { getPackage(): string }).getPackage();
}

function insteadOfImport(kind: string, id: pulumi.ID): string {
  if (kind === "Image") return `declare it with adopt: { id: ${JSON.stringify(id)} }`;
  const without = "declare it without the option: what is there already is taken as it is";
  return kind === "ImageCopy" ? `${without}; a copy that is an image of its own can be adopted as an Image` : without;
}

/**
 * What a check works out from secret values isn't secret to the engine, unless the program has sent an input of that name that is: this is one for
 * an ImageCopy's `metadata`. It is secret where something in `to` is, or where `additionalSecretOutputs` names it.
 */
export function secrecyOfMetadata(
  args: object,
  opts: pulumi.CustomResourceOptions | undefined,
): { metadata?: pulumi.Output<string> } {
  if (opts?.id !== undefined) return {};
  if (opts?.additionalSecretOutputs?.includes("metadata")) return { metadata: pulumi.secret(secrecyMark) };
  const to: unknown = "to" in args ? args.to : undefined;
  return isPlain(to) ? {} : { metadata: pulumi.all([to]).apply(() => secrecyMark) };
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
