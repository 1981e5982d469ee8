import { randomBytes } from "node:crypto";
import { urnOf } from "../../shared/resourceName.ts";
import { ImagesError } from "../errors.ts";
import { described, type Key } from "../services/keys.ts";

/** A resource that declares what another one of the same program declares already. */
export interface Conflict {
  key: Key;
  /** Type and name of the other resource. */
  other: string;
  /** What is wrong, and what to write instead. */
  reason: string;
}

interface Claim {
  key: Key;
  /** Its urn. */
  resource: string;
}

/** What the program declares of one list: an image's tags, say. */
interface List {
  /** Who declares the whole list. */
  whole?: Claim;
  entries: Map<string, Claim>;
}

/**
 * What the resources of this run's program declare. The engine checks each of them before it works on it, and deletes what is no longer
 * declared last: so a deletion knows by then what another resource of the program wants to stay.
 */
export class Claims {
  readonly #lists = new Map<string, List>();
  readonly #claims = new Map<string, Claim[]>();
  /** Resources whose things are there, with the run that made them: they stay as they are in this run, or were made in it. */
  readonly #held = new Map<string, string | undefined>();
  readonly #working = new Map<string, Promise<void>>();

  /**
   * Notes all that a resource declares, in place of what it declared before: it is checked again before it is replaced.
   * @returns what another resource declares already, which stays that one's
   */
  declare(resource: string, keys: readonly Key[]): Conflict[] {
    const urn = urnOf(resource);
    for (const { key } of this.#claims.get(urn) ?? []) this.#forget(key, urn);
    this.#claims.set(urn, []);
    this.#held.delete(urn);
    return this.add(resource, keys);
  }

  /** Notes what a resource declares besides, as soon as it is known. @returns as `declare` */
  add(resource: string, keys: readonly Key[]): Conflict[] {
    const urn = urnOf(resource);
    const conflicts: Conflict[] = [];
    for (const key of keys) {
      const claim = { key, resource: urn };
      const earlier = this.#conflicting(claim);
      if (earlier === undefined) this.#note(claim);
      else if (!canBeShared(key))
        conflicts.push({ key, other: nameOf(earlier.resource), reason: reasonOf(claim, earlier) });
    }
    return conflicts;
  }

  /**
   * Notes that what a resource declares is there: it was made in this run, or an earlier one made it and it stays.
   * @param run the run that made it, as the resource's state says
   */
  hold(resource: string, run: string | undefined): void {
    this.#held.set(urnOf(resource), run);
  }

  /** Notes that a resource is gone, unless it is only an older one of the same name. @param run the run that made it */
  release(resource: string, run: string | undefined): void {
    const urn = urnOf(resource);
    if (this.#held.has(urn) && this.#held.get(urn) === run) this.declare(urn, []);
  }

  /** Whether this run's program has the resource: the engine has had it checked. */
  has(resource: string): boolean {
    return this.#claims.has(urnOf(resource));
  }

  /** Whether a resource of the program declares this. */
  isDeclared(key: Key): boolean {
    return this.#lists.get(listOf(key))?.entries.has(key.entry ?? "") === true;
  }

  /** What a resource declares. */
  of(resource: string): Key[] {
    return (this.#claims.get(urnOf(resource)) ?? []).map(({ key }) => key);
  }

  /**
   * Who declares a thing that a resource is about to remove, by type and name; undefined: nobody does. One of the same name counts too, where
   * another run made it: what replaces a resource mustn't lose what it has when the old one is deleted after it, nor what has a name that the
   * old one had before it was renamed.
   * @param run the run that made what is to be removed, as its state says
   */
  keeper(key: Key, resource: string, run: string | undefined): { name: string; other: boolean } | undefined {
    const claim = this.#lists.get(listOf(key))?.entries.get(key.entry ?? "");
    if (claim === undefined) return undefined;
    const other = claim.resource !== urnOf(resource);
    const replaced = this.#held.has(claim.resource) && this.#held.get(claim.resource) !== run;
    return other || replaced ? { name: nameOf(claim.resource), other } : undefined;
  }

  /** Has pieces of work on the same things done one after the other: a removal that is under way would undo what is made meanwhile. */
  async inTurn<T>(keys: readonly Key[], work: () => Promise<T>): Promise<T> {
    const ids = [...new Set(keys.map(idOf))];
    const before = ids.map(id => this.#working.get(id));
    let end = () => {};
    const done = new Promise<void>(resolve => {
      end = resolve;
    });
    for (const id of ids) this.#working.set(id, done);
    try {
      await Promise.all(before);
      return await work();
    } finally {
      end();
      for (const id of ids) if (this.#working.get(id) === done) this.#working.delete(id);
    }
  }

  #conflicting({ key, resource }: Claim): Claim | undefined {
    const list = this.#lists.get(listOf(key));
    const ofOthers = (claim: Claim | undefined) => (claim?.resource === resource ? undefined : claim);
    const whole = ofOthers(list?.whole);
    if (whole !== undefined || list === undefined) return whole;
    if (!isWhole(key)) return ofOthers(list.entries.get(key.entry ?? ""));
    return [...list.entries.values()].find(claim => claim.resource !== resource);
  }

  #note(claim: Claim): void {
    const { key, resource } = claim;
    const list: List = this.#lists.get(listOf(key)) ?? { entries: new Map() };
    const noted = isWhole(key) ? list.whole : list.entries.get(key.entry ?? "");
    if (noted !== undefined) return;
    if (isWhole(key)) list.whole = claim;
    else list.entries.set(key.entry ?? "", claim);
    this.#lists.set(listOf(key), list);
    this.#claims.set(resource, [...(this.#claims.get(resource) ?? []), claim]);
  }

  #forget(key: Key, resource: string): void {
    const list = this.#lists.get(listOf(key));
    if (list === undefined) return;
    if (isWhole(key)) delete list.whole;
    else if (list.entries.get(key.entry ?? "")?.resource === resource) list.entries.delete(key.entry ?? "");
    if (list.whole === undefined && list.entries.size === 0) this.#lists.delete(listOf(key));
  }
}

/** @throws ImagesError "conflict" that names both resources */
export function refuseConflicts([first]: readonly Conflict[]): void {
  if (first !== undefined) throw new ImagesError("conflict", first.reason);
}

/** Those of this process, which the engine starts for one run. */
export const claims = new Claims();

/** Tells this run from others in a state. */
export const thisRun = randomBytes(4).toString("hex");

/** No service takes an image out of a region again, so that nobody loses it by what another resource does. */
function canBeShared({ kind }: Key): boolean {
  return kind === "region";
}

function isWhole({ kind, entry }: Key): boolean {
  return kind !== "image" && entry === undefined;
}

/** A service takes an id in capitals and small letters alike. */
function listOf({ kind, cloud, imageId }: Key): string {
  return `${kind} ${cloud} ${imageId.toLowerCase()}`;
}

function idOf(key: Key): string {
  return `${listOf(key)} ${key.entry ?? ""}`;
}

/** `ImageTag release`: a resource's type and name. */
function nameOf(urn: string): string {
  const [, , types = "", ...name] = urn.slice("urn:pulumi:".length).split("::");
  return `${types.split(/[$:]/).at(-1)} ${name.join("::")}`;
}

function reasonOf(claim: Claim, earlier: Claim): string {
  const [one, other] = [nameOf(earlier.resource), nameOf(claim.resource)];
  const { key } = claim;
  if (isWhole(key) !== isWhole(earlier.key)) {
    const [image, part, entry] = isWhole(key) ? [other, one, earlier.key.entry] : [one, other, key.entry];
    const all = `${key.kind}s`;
    return `the ${image} declares all ${all} of this image, and the ${part} declares ${JSON.stringify(entry)}: list it there and remove the ${part}, or leave ${all} out of the ${image}`;
  }
  const both = `the ${one} and the ${other} both declare ${described(key)}: keep one of them`;
  return key.kind === "image" ? `${both}; what needs the image besides can use its outputs, or Image.get` : both;
}
