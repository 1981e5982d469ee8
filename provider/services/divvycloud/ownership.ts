import type { Ownership, OwnerTag } from "../../reconcile/ownership.ts";

/**
 * DivvyCloud has no tags or properties of ours to write on an image, only its name and notes. So an image is made under a name that says whose it
 * is and that it is unfinished; a note says whose it is from then on.
 */

/** Lower-case letters, digits and dashes, at most 63: what every cloud takes as a name. */
export function unfinishedName({ resource }: OwnerTag): string {
  return `pulumi-images-${resource}-unfinished`;
}

/** What an image is called that the program gives no name. */
export function ownName({ resource }: OwnerTag): string {
  return `pulumi-images-${resource}`;
}

const nameForm = /^pulumi-images-([0-9a-f]{32})(-unfinished)?$/;
const noteForm =
  /^Managed by pulumi-images: resource ([0-9a-f]{32}), stack ([0-9a-f]{32})(?:, since (\S+))?(, adopted)?$/;

export function noteOf({ resource, stack }: OwnerTag): string {
  return `Managed by pulumi-images: resource ${resource}, stack ${stack}, since ${new Date().toISOString()}`;
}

export function adoptedNote(tag: OwnerTag): string {
  return `${noteOf(tag)}, adopted`;
}

/**
 * What an image says of its owner, by its name and its notes. Notes can't be taken back: the latest one counts.
 */
export function ownershipOf(name: unknown, notes: readonly string[]): Ownership {
  const named = nameForm.exec(String(name));
  const noted = notes
    .map(note => noteForm.exec(note))
    .filter(match => match !== null)
    .sort(([, , , one = ""], [, , , other = ""]) => one.localeCompare(other))
    .at(-1);
  const resource = noted?.[1] ?? named?.[1];
  return {
    ...(resource === undefined ? {} : { resource }),
    ...(noted?.[2] === undefined ? {} : { stack: noted[2] }),
    adopted: noted !== undefined && noted[4] !== undefined,
    unfinished: named?.[2] !== undefined && !notes.includes(finishedNote(named[1] as string)),
    carrier: "properties",
  };
}

/** The note of a finished image that the cloud behind DivvyCloud can't rename. */
export function finishedNote(resource: string): string {
  return `Finished by pulumi-images: resource ${resource}`;
}
