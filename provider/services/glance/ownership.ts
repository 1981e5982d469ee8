import type { Carrier, Ownership, OwnerTag } from "../../reconcile/ownership.ts";
import type { WireImage } from "./attributes.ts";

/** The properties under which an image carries its owner tag, its unfinished marker, and when it was adopted. */
export const ownerProperties = {
  resource: "pulumi_images_resource",
  stack: "pulumi_images_stack",
  unfinished: "pulumi_images_unfinished",
  adopted: "pulumi_images_adopted",
} as const;

const names: readonly string[] = Object.values(ownerProperties);

/** Whether a property is one of this provider's own. */
export function isOwnerProperty(property: string): boolean {
  return names.includes(property);
}

/** Whether an image tag stands for one of those properties, where the cloud forbids them: `pulumi_images_resource=…`. */
export function isOwnerImageTag(tag: string): boolean {
  const at = tag.indexOf("=");
  return at > 0 && isOwnerProperty(tag.slice(0, at));
}

/** The image tags that carry an owner tag. */
export function ownerImageTags(image: WireImage): string[] {
  return Array.isArray(image.tags) ? image.tags.filter(tag => isOwnerImageTag(String(tag))) : [];
}

/** What an image says of its owner. */
export function ownershipOf(image: WireImage): Ownership {
  const tagged = fromImageTags(image);
  const property = (name: string) => (typeof image[name] === "string" ? (image[name] as string) : undefined);
  const resource = property(ownerProperties.resource);
  const carrier = resource !== undefined ? "properties" : tagged.resource !== undefined ? "tags" : "none";
  const stack = property(ownerProperties.stack) ?? tagged.stack;
  return {
    ...(resource === undefined && tagged.resource === undefined ? {} : { resource: resource ?? tagged.resource }),
    ...(stack === undefined ? {} : { stack }),
    unfinished: property(ownerProperties.unfinished) !== undefined || tagged.unfinished !== undefined,
    adopted: property(ownerProperties.adopted) !== undefined || tagged.adopted !== undefined,
    carrier,
  } as Ownership;
}

function fromImageTags(image: WireImage): Partial<Record<keyof typeof ownerProperties, string>> {
  const found = new Map(ownerImageTags(image).map(tag => tag.split("=") as [string, string]));
  const entries = Object.entries(ownerProperties).map(([key, property]) => [key, found.get(property)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The owner tag of an image that a create begins now, by the names of the properties; none where neither carries it. */
export function unfinishedOwner(tag: OwnerTag, carrier: Carrier): Record<string, string> {
  if (carrier === "none") return {};
  return { ...ownerOf(tag), [ownerProperties.unfinished]: new Date().toISOString() };
}

/** The owner tag of an image that is adopted now, by the names of the properties. */
export function adoptedOwner(tag: OwnerTag): Record<string, string> {
  return { ...ownerOf(tag), [ownerProperties.adopted]: new Date().toISOString() };
}

function ownerOf(tag: OwnerTag): Record<string, string> {
  return { [ownerProperties.resource]: tag.resource, [ownerProperties.stack]: tag.stack };
}

/** The image tags that stand for properties. */
export function asImageTags(properties: Record<string, string>): string[] {
  return Object.entries(properties).map(([name, value]) => `${name}=${value}`);
}
