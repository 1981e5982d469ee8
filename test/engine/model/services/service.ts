import type { Values } from "../../providerProcess.ts";
import type { Kind } from "../provider.ts";

export type Account = "owner" | "consumer";

/** An image as it really is, seen past the provider. */
export interface TrueImage {
  id: string;
  /** Whose it is. */
  account: string;
  name: string;
  /** It is all there, and no create of ours has still to end. */
  finished: boolean;
  /** The service is at work on it, and changes it by itself. */
  busy?: boolean;
  /** What says which resource it belongs to, and to which stack. */
  ownerTag?: string | undefined;
  stackTag?: string | undefined;
  /** Digest of its data, in the words of \`digestOf\`. */
  digest?: string | undefined;
  tags: string[];
  members: string[];
  /** Stores or regions that have it. */
  places: string[];
  /** Everything that others could change, to see that they didn't. */
  whole: string;
}

export type Truth = Map<string, TrueImage>;

/** How an Image of a program is to be. The numbers are small, so that lives meet themselves again. */
export interface ImageSpec {
  name: string;
  /** Which of the disks. */
  data: number;
  /** Which of the values that its changeable fields can have. */
  fields: number;
}

/** An image service as the model sees it. */
export interface ModelService {
  readonly name: string;
  readonly kinds: readonly Kind[];
  /** It has accounts that can't see each other's images. */
  readonly accounts: boolean;
  connection(account: Account): Promise<Values>;
  imageArgs(spec: ImageSpec): Values;
  /** What an adopting Image declares besides. */
  adoptArgs(spec: ImageSpec): Values;
  /** What an image has that is as declared. @returns what differs */
  differs(image: TrueImage, spec: ImageSpec): string[];
  tagArgs(tag: number): Values;
  memberArgs(): Values;
  copyArgs(place: number): Values;
  /** What a part of an image is called in its truth. */
  partOf(kind: Kind, args: Values): string;
  /** Kinds of parts that several may declare: nobody can take them away. */
  readonly lasting?: readonly Kind[];
  digestOf(data: number): string | undefined;
  truth(): Promise<Truth>;
  /** Somebody deletes an image. */
  remove(image: TrueImage): Promise<void>;
  rename(image: TrueImage, name: string): Promise<void>;
  /** Somebody writes another resource's tag over an image's; undefined: takes it away. */
  retag(image: TrueImage, tag: string | undefined): Promise<void>;
  /** An image that nobody of Pulumi's made. */
  make(account: Account, name: string): Promise<string>;
  /** An image of another project's that says it is ours. */
  plant?(id: string, name: string, tags: { resource: string; stack: string; unfinished: boolean }): Promise<string>;
  /** The cloud's operator lets nobody but administrators write the properties that carry owner tags. */
  forbid?(): void;
  /** As at the beginning: without images, and with nothing forbidden. */
  clear(): Promise<void>;
}
