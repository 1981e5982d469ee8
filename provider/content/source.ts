import { digestProblem, parseDigest } from "./digest.ts";

/** A compression that can be undone on the way. */
export type Compression = "gz" | "bz2" | "xz" | "zst";

interface SourceOptions {
  /**
   * What the source's own bytes must hash to, as published, so before any decompression: `sha256:<hex>`, or sha512, sha384, sha224, sha1 or
   * md5. Checked while the data is read; a source that differs is never sent whole.
   */
  digest?: string;
  /**
   * The publisher's checksums file (SHA256SUMS, CHECKSUM, …): a url or a file's path. The line for the source's file name is taken. It
   * covers the source's own bytes, before any decompression.
   */
  checksums?: string;
  /** Undo this compression on the way: `gz`, `bz2`, `xz`, `zst`, or `auto` (by the data's first bytes). Default `none`: sent as it is. */
  decompress?: Compression | "auto" | "none";
  /** Bytes that decompression may give at most. Default: no limit. */
  maxSize?: number;
  /** How many times larger than what was read the decompressed data may be, once it is over 100 MiB. Default 1000. */
  maxRatio?: number;
}

export interface FileSource extends SourceOptions {
  /** Path of a file, relative to the folder of the Pulumi program. `~` is not expanded. */
  file: string;
}

export interface UrlSource extends SourceOptions {
  /** An http or https url. It is fetched from where the provider runs, so it reaches whatever that machine reaches. */
  url: string;
  /** Request headers for private sources. Secret; not sent on to another host by a redirect. */
  headers?: Record<string, string>;
  /** `stream`: read here and sent on. `import`: the service fetches the url itself. */
  mode?: "stream" | "import";
}

/** Where image data comes from. */
export type Source = FileSource | UrlSource;

/** What is wrong with a source: the field below `source`, and what to write instead. */
export interface SourceProblem {
  path: string;
  message: string;
}

const compressions = ["gz", "bz2", "xz", "zst", "auto", "none"];

export function isUrlSource(source: Source): source is UrlSource {
  return "url" in source && source.url !== undefined;
}

const optionNames = ["digest", "checksums", "decompress", "maxSize", "maxRatio"];
const knownNames = ["file", "url", "headers", "mode", ...optionNames];

/** The rules that need neither disk nor network. An empty list: the source may be used. */
export function checkSource(source: Source): SourceProblem[] {
  const problems: SourceProblem[] = [];
  const add = (path: string, message: string) => problems.push({ path, message });
  const fields = source as unknown as Record<string, unknown>;
  const { file, url } = fields;

  for (const name of Object.keys(fields)) {
    if (fields[name] !== undefined && !knownNames.includes(name))
      add(/^\w{1,60}$/.test(name) ? name : "", `isn't known here: a source has ${knownNames.join(", ")}`);
  }
  if (file !== undefined && url !== undefined) add("", "has both file and url: give one of them");
  else if (file === undefined && url === undefined) add("", "has neither file nor url: give one of them");
  if (file !== undefined) {
    if (typeof file !== "string" || file === "") add("file", "must be the path of a file");
    else if (file.includes("\0")) add("file", "holds a NUL character");
    else if (/^[a-z][a-z\d+.-]+:\/\//i.test(file)) add("file", `"${file.split("?")[0]}" is a url: give it as url`);
    for (const field of ["headers", "mode"])
      if (fields[field] !== undefined) add(field, "belongs to a url, not to a file");
  }
  if (url !== undefined) {
    const problem = urlProblem(url);
    if (problem) add("url", problem);
    checkHeaders(fields.headers, add);
    if (fields.mode !== undefined && fields.mode !== "stream" && fields.mode !== "import")
      add("mode", `must be "stream" or "import"`);
    if (fields.mode === "import") {
      // The service fetches the url, so what happens on the way through us can't.
      if (fields.headers !== undefined && Object.keys(fields.headers as object).length > 0)
        add("headers", `can't be passed on to the service: use mode "stream"`);
      if (fields.decompress !== undefined && fields.decompress !== "none")
        add("decompress", `is done on the way through the provider: use mode "stream"`);
    }
  }
  if (fields.digest !== undefined && fields.checksums !== undefined)
    add("checksums", "says the same as digest: give one of them");
  if (fields.digest !== undefined) {
    if (typeof fields.digest !== "string") add("digest", "must be text");
    else if (!parseDigest(fields.digest)) add("digest", digestProblem(fields.digest));
  }
  if (fields.checksums !== undefined) {
    if (typeof fields.checksums !== "string" || fields.checksums === "")
      add("checksums", "must be the url or path of a checksums file");
    else if (/^[a-z][a-z\d+.-]+:\/\//i.test(fields.checksums)) {
      const problem = urlProblem(fields.checksums);
      if (problem) add("checksums", problem);
    }
  }
  if (fields.decompress !== undefined && !compressions.includes(fields.decompress as string))
    add("decompress", `must be one of ${compressions.join(", ")}`);
  for (const field of ["maxSize", "maxRatio"])
    if (fields[field] !== undefined && !(typeof fields[field] === "number" && (fields[field] as number) > 0))
      add(field, "must be a number above 0");
  return problems;
}

function urlProblem(url: unknown): string | undefined {
  if (typeof url !== "string") return "must be text";
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed) return "isn't a url: write it whole, such as https://host/path/image.qcow2";
  if (parsed.protocol === "file:") return "is a file: give its path as file";
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
    return `begins with ${parsed.protocol}//: only http and https are fetched`;
  return undefined;
}

function checkHeaders(headers: unknown, add: (path: string, message: string) => void): void {
  if (headers === undefined) return;
  if (typeof headers !== "object" || headers === null || Array.isArray(headers)) {
    add("headers", "must be an object of names and values");
    return;
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) add("headers", `${JSON.stringify(name)} isn't a header's name`);
    else if (/^(host|content-length|transfer-encoding|connection|range|accept-encoding)$/i.test(name))
      add("headers", `${name} is set by the provider`);
    else if (typeof value !== "string" || /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value))
      add("headers", `the value of ${name} must be one line of text, of characters up to U+00FF`);
  }
}

/** A url as it may be shown: without user, password and query, which may be secrets. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return "(not a url)";
  const { origin, pathname, search } = new URL(url);
  return `${origin}${pathname}${search ? "?…" : ""}`;
}

/** The source in a sentence. */
export function shownSource(source: Source): string {
  return isUrlSource(source) ? shownUrl(source.url) : source.file;
}
