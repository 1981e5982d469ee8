/** Images whose whole list of tags an Image of this program declares: what the image's ImageTags would fight with. */
const owners = new Map<string, string>();

/** Notes that an Image declares the tags of an image. */
export function ownTags(imageId: string, image: string): void {
  owners.set(imageId.toLowerCase(), image);
}

/** The Image that declares all tags of an image, if this program has one. */
export function tagOwner(imageId: unknown): string | undefined {
  return typeof imageId === "string" ? owners.get(imageId.toLowerCase()) : undefined;
}
