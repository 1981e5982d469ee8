import { urnOf } from "../../shared/resourceName.ts";
import { ImagesError, UnfinishedError } from "../errors.ts";
import type { ImageService, Values } from "../services/service.ts";

/**
 * What another account can't see isn't gone. A state remembers the account in which a resource was made: an image's `owner`, or the output
 * `account` where there is none or the image belongs to somebody else (DivvyCloud's images have an account of another meaning, so there it is
 * `organization`). Whatever would take a resource out of the state first demands that the connection still is that account. States of
 * earlier versions remember none for members, tags and copies, nor for images that have no owner: those aren't compared.
 */

/** What a service calls the account of a connection. Default: project. */
const words: Readonly<Record<string, string>> = { digitalocean: "account", divvycloud: "organization" };

function outputOf(service: unknown): string {
  return service === "divvycloud" ? "organization" : "account";
}

/** The account that a connection is signed in to, for a state to remember; undefined where that can't be told. It never fails. */
export async function currentAccount(service: ImageService): Promise<string | undefined> {
  try {
    return await service.account?.();
  } catch {
    // What is made is the same without it.
    return undefined;
  }
}

/** The output in which a state remembers the account; none where the image's owner says the same. */
export function rememberedAs(service: ImageService, account: string | undefined, owner?: unknown): Values {
  return account === undefined || account === owner ? {} : { [outputOf(service.name)]: account };
}

/** What an update keeps of it; a connection of another name, a copy's too, may be another account. */
export async function stillRemembered(service: ImageService, olds: Values, news: Values): Promise<Values> {
  if (olds.connection !== news.connection || targetOf(olds) !== targetOf(news))
    return rememberedAs(service, await currentAccount(service), olds.owner);
  const name = outputOf(service.name);
  return olds[name] === undefined ? {} : { [name]: olds[name] };
}

/** The connection that a copy goes to. */
function targetOf({ to }: Values): unknown {
  return (to as { connection?: unknown } | undefined)?.connection;
}

/**
 * Demands that a connection still is the account that the state remembers, for what isn't seen on it to be gone.
 * @param what it is about: `image 6c2…`
 * @throws ImagesError "configuration" that names both accounts
 */
export async function demandSameAccount(service: ImageService, what: string, props: Values): Promise<void> {
  const now = await otherAccount(service, props);
  if (now !== undefined) throw notSeen(service, what, now, props);
}

/** Whether an update failed for want of what it is about. */
export function isMissing(error: unknown): boolean {
  return error instanceof ImagesError && !(error instanceof UnfinishedError) && error.code === "not-found";
}

/**
 * Demands the same of what is to be deleted or replaced, unless this account sees it all the same, as the resource's own: then the service says
 * whether it may.
 * @returns whether it is another account
 */
export async function demandReach(
  service: ImageService,
  what: string,
  props: Values,
  isSeen: () => Promise<boolean>,
): Promise<boolean> {
  const now = await otherAccount(service, props);
  if (now === undefined) return false;
  if (!(await isSeen())) throw notSeen(service, what, now, props);
  return true;
}

/**
 * Demands the same of what is to be replaced by something of its kind: that would be the other account's, whatever this one sees.
 * @param isSeen asked where it isn't certain that the owner was the account: an earlier version may have adopted another project's image
 */
export async function demandOwnReplacement(
  service: ImageService,
  what: string,
  props: Values,
  isSeen: () => Promise<boolean>,
): Promise<void> {
  const isCertain = props[outputOf(props.service)] !== undefined || props.ownerTag !== undefined;
  await demandReach(service, what, props, async () => !isCertain && (await isSeen()));
}

/** The account that the connection is now, where the state remembers another one. */
async function otherAccount(service: ImageService, props: Values): Promise<string | undefined> {
  const before = remembered(props);
  if (before === undefined) return undefined;
  const now = await service.account?.();
  return now === before ? undefined : now;
}

function remembered(props: Values): string | undefined {
  const account = props[outputOf(props.service)] ?? props.owner;
  return typeof account === "string" && account !== "" ? account : undefined;
}

function notSeen(service: ImageService, what: string, now: string, props: Values): ImagesError {
  const word = words[service.name] ?? "project";
  const before = String(remembered(props));
  return new ImagesError(
    "configuration",
    `${what} is of ${word} ${before}, as the state remembers, but the connection ${service.connection.name} is ${word} ${now} now: what is seen from there doesn't say whether it is gone`,
    {
      service: service.name,
      hint: `Nothing was changed. Use the credentials of ${word} ${before}; or take it out of this stack, if it isn't wanted there any more: pulumi state delete '${urnOf(String(props.resource))}'`,
    },
  );
}
