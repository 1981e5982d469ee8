import { urnOf } from "../../shared/resourceName.ts";
import { ImagesError, UnfinishedError } from "../errors.ts";
import type { ImageService, Values } from "../services/service.ts";

/**
 * What can't be seen from another account or region isn't gone. A state remembers the account in which a resource was made: an image's `owner`,
 * or the output `account` where there is none or the image belongs to somebody else (DivvyCloud's images have an account of another meaning, so
 * there it is `organization`); and the `region`, where a service has some. Whatever would take a resource out of the state first demands that the
 * connection still is that account, in that region. What a state of an earlier version doesn't remember isn't compared.
 */

/** Where a connection leads. */
export interface Whereabouts {
  account: string | undefined;
  region: string | undefined;
}

/** What a service calls the account of a connection. Default: project. */
const words: Readonly<Record<string, string>> = { digitalocean: "account", divvycloud: "organization" };

function outputOf(service: unknown): string {
  return service === "divvycloud" ? "organization" : "account";
}

/** Where a connection leads, for a state to remember; undefined where that can't be told. It never fails. */
export async function currentWhereabouts(service: ImageService): Promise<Whereabouts> {
  // What is made is the same without it.
  const unknown = () => undefined;
  const [account, region] = await Promise.all([service.account?.().catch(unknown), service.region?.().catch(unknown)]);
  return { account, region };
}

/** The outputs in which a state remembers it; no account where the image's owner says the same. */
export function rememberedAs(service: ImageService, { account, region }: Whereabouts, owner?: unknown): Values {
  return {
    ...(account === undefined || account === owner ? {} : { [outputOf(service.name)]: account }),
    ...(region === undefined ? {} : { region }),
  };
}

/** What an update keeps of it; a connection of another name, a copy's too, may lead elsewhere. */
export async function stillRemembered(service: ImageService, olds: Values, news: Values): Promise<Values> {
  if (olds.connection !== news.connection || targetOf(olds) !== targetOf(news))
    return rememberedAs(service, await currentWhereabouts(service), olds.owner);
  const names = [outputOf(service.name), ...(service.region === undefined ? [] : ["region"])];
  return Object.fromEntries(names.filter(name => olds[name] !== undefined).map(name => [name, olds[name]]));
}

/** The connection that a copy goes to. */
function targetOf({ to }: Values): unknown {
  return (to as { connection?: unknown } | undefined)?.connection;
}

/**
 * Demands that a connection still leads where the state remembers, for what isn't seen on it to be gone.
 * @param what it is about: `image 6c2…`
 * @throws ImagesError "configuration" that names both accounts, or regions
 */
export async function demandSameAccount(service: ImageService, what: string, props: Values): Promise<void> {
  const difference = await differenceOf(service, props);
  if (difference !== undefined) throw notSeen(service, what, difference, props);
}

/** Whether an update failed for want of what it is about. */
export function isMissing(error: unknown): boolean {
  return error instanceof ImagesError && !(error instanceof UnfinishedError) && error.code === "not-found";
}

/**
 * Demands the same of what is to be deleted or replaced: what is seen from elsewhere may be shared, or an administrator's sight of all projects.
 * Where it isn't certain that the state remembers the account (an earlier version noted only the owner, and may have adopted another
 * project's image), what is seen as the resource's own will do: then the service says whether it may be deleted.
 * @returns whether the connection leads elsewhere
 */
export async function demandReach(
  service: ImageService,
  what: string,
  props: Values,
  isSeen: () => Promise<boolean>,
): Promise<boolean> {
  const difference = await differenceOf(service, props);
  if (difference === undefined) return false;
  const isCertain = props[outputOf(props.service)] !== undefined || props.ownerTag !== undefined;
  if (isCertain || !(await isSeen())) throw notSeen(service, what, difference, props);
  return true;
}

/** Where the state says that a resource is, and where its connection leads instead. */
interface Difference {
  /** What a service calls it: a project, a region. */
  word: string;
  before: string;
  now: string;
}

async function differenceOf(service: ImageService, props: Values): Promise<Difference | undefined> {
  const word = words[service.name] ?? "project";
  const remembered = props[outputOf(props.service)] ?? props.owner;
  return (
    differing(word, remembered, remembered && (await service.account?.())) ??
    (service.region && differing("region", props.region, props.region && (await service.region())))
  );
}

function differing(word: string, before: unknown, now: unknown): Difference | undefined {
  const known = [before, now].every(text => typeof text === "string" && text !== "");
  return known && before !== now ? { word, before: String(before), now: String(now) } : undefined;
}

function notSeen(
  service: ImageService,
  what: string,
  { word, before, now }: Difference,
  { resource }: Values,
): ImagesError {
  return new ImagesError(
    "configuration",
    `${what} is of ${word} ${before}, as the state remembers, but the connection ${service.connection.name} is ${word} ${now} now: what is seen from there doesn't say whether it is gone`,
    {
      service: service.name,
      hint: `Nothing was changed. ${wayBack(word, before)}; or take it out of this stack, if it isn't wanted there any more: pulumi state delete '${urnOf(String(resource))}'`,
    },
  );
}

function wayBack(word: string, before: string): string {
  return word === "region" ? `Use the region ${before}` : `Use the credentials of ${word} ${before}`;
}
