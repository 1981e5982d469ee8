import type { ImageFacts } from "../services/service.ts";

const isUnrecorded = "carries this resource's owner tag and is finished, but this stack's state doesn't have it";

/** A finished image that carries the owner tag of a resource whose state doesn't have it. */
export function finishedImage(image: ImageFacts, isCopy = false): string {
  const use = isCopy
    ? `To use it instead of a new one, declare it as an Image with ${adoptionOf(image)} in the place of this copy`
    : `To use it instead of a new one, write ${adoptionOf(image)} before you run pulumi up`;
  return `${described(image)} ${isUnrecorded}. It is left alone, and a new image is made. ${use}; if nobody needs it, delete it by hand. It may have been kept (retainOnDelete, pulumi state delete), belong to a resource that was renamed or moved, or to a stack of the same name, or a killed run may have finished it. With --replace and after pulumi state taint, it is the one that is replaced, and goes at the end`;
}

/** Such an image, whose id the resource chooses. */
export function chosenIdTaken(image: ImageFacts): string {
  return `${described(image)} has this id: it ${isUnrecorded}. To use it, write ${adoptionOf(image)} in the place of imageId; to have a new image, choose another id`;
}

/** An image that its resource's deletion leaves alone. */
export function anothersImage(image: ImageFacts): string {
  return `${described(image)} carries the owner tag of another resource, so it is not deleted: this stack forgets it, and its owner keeps it. If nobody needs it, delete it by hand`;
}

/** An image that another run of the same resource finished first. */
export function finishedElsewhere(image: ImageFacts, isCopy = false): string {
  const use = isCopy ? `declare it as an Image with ${adoptionOf(image)}` : `adopt it: ${adoptionOf(image)}`;
  return `${described(image)} was finished by another run of this resource at the same time, so it is left alone, and a new image is made. To have it under management, ${use}; if nobody needs it, delete it by hand`;
}

/** An image that this stack still manages, and another one has adopted. */
export function adoptedElsewhere(id: string): string {
  return `image ${id} carries the owner tag of another resource, which has adopted it: both write to it now. If the other one is to have it, take it out of this stack: pulumi state delete`;
}

/** What isn't safe on a service that takes no owner tag. */
export function untagged(id: string): string {
  return `the service let neither a property nor a tag say which resource image ${id} belongs to. So a run that is killed can leave an image that the next run doesn't find, and a deletion can't see whether another resource has adopted the image. Ask the service's operator to allow the properties pulumi_images_*, or image tags`;
}

function adoptionOf({ id }: ImageFacts): string {
  return `adopt: { id: ${JSON.stringify(id)} }`;
}

function described({ id, name, createdAt, size }: ImageFacts): string {
  const named = typeof name === "string" && name !== "" ? `named ${JSON.stringify(name)}` : "without a name";
  const made = createdAt === undefined ? "made at an unknown time" : `made ${String(createdAt)}`;
  return `image ${id} (${named}, ${made}, ${sizeOf(size)})`;
}

function sizeOf(size: unknown): string {
  return typeof size === "number" ? `${size} bytes` : "without data";
}
