const kinds = {
  image: (id: string) => `image ${id}`,
  tag: (id: string, tag?: string) =>
    tag === undefined ? `the tags of image ${id}` : `the tag ${quoted(tag)} of image ${id}`,
  member: (id: string, member?: string) =>
    member === undefined ? `the members of image ${id}` : `the membership of ${member} in image ${id}`,
  answer: (id: string, member?: string) => `the answer of project ${member} to the invitation to image ${id}`,
  store: (id: string, store?: string) => `the copy of image ${id} in the store ${store}`,
  region: (id: string, region?: string) => `the copy of image ${id} in the region ${region}`,
  tenant: (id: string, tenant?: string) => `the copy of image ${id} in the tenant ${tenant}`,
} as const;

/**
 * Names one thing that a resource can declare: an image, or something of an image. Two resources that declare the same thing have the same
 * key, so a service writes in one way what means the same to it (capital letters in an id).
 */
export interface Key {
  kind: keyof typeof kinds;
  /** The address of the service. Ids are unique within it, and an image of the same id can be in another region. */
  cloud: string;
  imageId: string;
  /** Which tag, member, store, … Without it, all of them that the image has; of kind `image`, never. */
  entry?: string;
}

/** What a key means, in the middle of a sentence. */
export function described({ kind, imageId, entry }: Key): string {
  return kinds[kind](imageId, entry);
}

/** A service's address as keys have it. */
export function addressOf(url: string): string {
  return url.replace(/\/+$/, "").toLowerCase();
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
