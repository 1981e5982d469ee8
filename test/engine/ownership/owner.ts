import { createHash } from "node:crypto";

const digest = (text: string) => createHash("sha256").update(text).digest("hex");

/** Which resource an image belongs to, as a Glance keeps it in the image's properties. */
export type OwnerTag = Record<"pulumi_images_resource" | "pulumi_images_stack", string>;

/**
 * The owner tag that a resource writes. That a resource has the same one in all versions is a promise, so it is worked
 * out here anew.
 */
export function ownerTagOf(urn: string, generation = 0): OwnerTag {
  return {
    pulumi_images_resource: digest(`${urn}#${generation}`).slice(0, 32),
    pulumi_images_stack: digest(urn.split("::").slice(0, 2).join("::")).slice(0, 32),
  };
}

/** The id that the first image of a resource asks for. */
export function firstIdOf({ pulumi_images_resource: resource }: OwnerTag): string {
  return uuidOf(resource);
}

/** The ids that its later images ask for on a day. */
export function laterIdsOf({ pulumi_images_resource: resource }: OwnerTag, day: Date, count: number): string[] {
  const date = day.toISOString().slice(0, 10);
  return Array.from({ length: count }, (_, attempt) => uuidOf(`${resource}/${date}/${attempt}`));
}

function uuidOf(text: string): string {
  const hex = digest(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The urn of a resource of the tests' stacks. */
export function urnOf(stack: { name: string; project: string }, name: string, kind = "Image"): string {
  return `urn:pulumi:${stack.name}::${stack.project}::pulumi-nodejs:dynamic/images:${kind}::${name}`;
}

/** The property that says that a create hasn't ended yet, and since when. */
export const unfinished = "pulumi_images_unfinished";
