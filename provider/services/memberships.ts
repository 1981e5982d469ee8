import { Reads } from "./reads.ts";

/** Who may use an image, as far as a listing of many tells. */
export interface Membership {
  image_id: string;
  member_id: string;
}

/** Where a project's memberships can be listed. */
export interface MembershipListing<T> {
  /** The same for the same place. */
  name: string;
  /** Those that can be told; none where that takes more than `most` requests. */
  all(most: number): Promise<T[]>;
}

/** A run of thousands of memberships takes longer; what it has to know then is listed anew. */
const maxAgeMs = 60_000;

/**
 * Reads of many memberships. The members of an image are listed by themselves, which is a request for each image; what one project may use
 * can be listed too, by somebody. More than a few are read from there, and what isn't found in it by a request of its own.
 */
export class Memberships<T extends Membership> {
  readonly #one: (imageId: string, member: string) => Promise<T | undefined>;
  readonly #reads = new Map<string, Reads<T>>();

  constructor(one: (imageId: string, member: string) => Promise<T | undefined>) {
    this.#one = one;
  }

  /** It, or undefined when there is none; from earlier in this run, though never from before a write to the image. */
  read(imageId: string, member: string, listing: MembershipListing<T>): Promise<T | undefined> {
    const key = JSON.stringify([member, listing.name]);
    const reads = this.#reads.get(key) ?? this.#open(member, listing);
    this.#reads.set(key, reads);
    return reads.read(imageId.toLowerCase(), true);
  }

  /** What was read of an image's members so far doesn't count any more. To be called before a write and after it. */
  wrote(imageId: string): void {
    for (const reads of this.#reads.values()) reads.wrote(imageId.toLowerCase());
  }

  #open(member: string, { name, all }: MembershipListing<T>): Reads<T> {
    let asked = 0;
    const reads = new Reads<T>({
      maxAgeMs,
      idOf: ({ image_id }) => image_id,
      one: imageId => this.#one(imageId, member),
      listings: ids => {
        asked += ids.length;
        return [{ name, pages }];
      },
      // An answer stays until somebody gives another one.
      atRest: () => true,
    });
    return reads;

    async function* pages(): AsyncGenerator<T[]> {
      yield (await all(asked)).filter(({ member_id }) => member_id === member);
    }
  }
}
