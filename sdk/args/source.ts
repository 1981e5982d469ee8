import type { Input } from "@pulumi/pulumi";
import type { LeaveOut } from "./leaveOut.ts";

/** What is the same for every source of image data. */
export interface SourceOptions {
  /** `sha256:<hex>` of the source's own bytes as published, before any decompression; also sha512, sha384, sha224, sha1, md5. */
  digest?: Input<string>;
  /** A publisher's checksums file (SHA256SUMS, CHECKSUM, …): a url, or a file's path. Its line for the source's file name is used. */
  checksums?: Input<string>;
  /** Undo a compression on the way; `auto` looks at the first bytes. Default `none`: the bytes are sent as they are. */
  decompress?: Input<"gz" | "bz2" | "xz" | "zst" | "auto" | "none">;
  /** The most bytes that decompression may give. Default: no limit. */
  maxSize?: Input<number>;
  /** How many times larger the decompressed data may be than what was read, once it is over 100 MiB. Default 1000. */
  maxRatio?: Input<number>;
}

/** Image data from a file of the machine that runs Pulumi. */
export interface FileSource extends SourceOptions {
  /** Path, relative to the folder of the Pulumi program (what `main` in Pulumi.yaml names, else the project's). `~` is not expanded. */
  file: Input<string>;
  url?: LeaveOut<"a source is a file or a url">;
}

/** Image data from a url. */
export interface UrlSource extends SourceOptions {
  /**
   * http or https. A user, a password or a signature in it is used, but never kept: the state holds the url without them, so a new
   * signature is no change.
   */
  url: Input<string>;
  /** Request headers, such as Authorization. Never kept in the state, and not sent on to another host by a redirect. */
  headers?: Input<Record<string, Input<string>>>;
  /** `stream` (default): read by the provider and sent on. `import`: the service fetches the url itself (web-download). */
  mode?: Input<"stream" | "import">;
  file?: LeaveOut<"a source is a file or a url">;
}

export type Source = FileSource | UrlSource;

/** A source for a service that fetches nothing itself. */
export type StreamedSource = FileSource | (Omit<UrlSource, "mode"> & { mode?: Input<"stream"> });

/** How an existing image comes under management, without a new upload. */
export type Adopt =
  | {
      id: Input<string>;
      /** Take the image over although another stack's owner tag claims it. Default: false, which is an error then. */
      takeOver?: Input<boolean>;
      name?: LeaveOut<"adopt by id or by name">;
    }
  | {
      /** Of an image of the connection's own project. */
      name: Input<string>;
      id?: LeaveOut<"adopt by id or by name">;
    };
