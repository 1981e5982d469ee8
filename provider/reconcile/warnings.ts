import type { ImageFacts } from "../services/service.ts";

/** A finished image that carries the owner tag of a resource whose state doesn't have it. */
export function finishedImage(image: ImageFacts): string {
  return `${described(image)} carries this resource's owner tag and is finished, but this stack's state doesn't have it. It is left alone, and a new image is made. It may be another resource's by now (renamed, moved, or in a stack of the same name), one that was kept (retainOnDelete, pulumi state delete), or what a killed run made. To take it over, write adopt: { id: ${JSON.stringify(image.id)} }; if nobody needs it, delete it by hand`;
}

/** An image that its resource's deletion leaves alone. */
export function anothersImage(image: ImageFacts): string {
  return `${described(image)} carries the owner tag of another resource, so it is not deleted: this stack forgets it, and its owner keeps it. If nobody needs it, delete it by hand`;
}

/** An image that another run of the same resource finished first. */
export function finishedElsewhere(image: ImageFacts): string {
  return `${described(image)} was finished by another run of this resource at the same time, so it is left alone, and a new image is made. To take it over, write adopt: { id: ${JSON.stringify(image.id)} }; if nobody needs it, delete it by hand`;
}

/** What isn't safe on a service that takes no owner tag. */
export function untagged(id: string): string {
  return `the service let neither a property nor a tag say which resource image ${id} belongs to. So a run that is killed can leave an image that the next run doesn't find, and a deletion can't see whether another resource has adopted the image. Ask the service's operator to allow the properties pulumi_images_*, or image tags`;
}

function described({ id, name, createdAt, size }: ImageFacts): string {
  const named = typeof name === "string" && name !== "" ? `named ${JSON.stringify(name)}` : "without a name";
  const made = createdAt === undefined ? "made at an unknown time" : `made ${String(createdAt)}`;
  return `image ${id} (${named}, ${made}, ${sizeOf(size)})`;
}

function sizeOf(size: unknown): string {
  return typeof size === "number" ? `${size} bytes` : "size unknown";
}
