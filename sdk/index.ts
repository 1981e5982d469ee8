export { Image, type ImageArgs, type ImageLookup } from "./image.ts";
export type { OpenStackImageArgs } from "./imageArgs.ts";
export type { Adopt, FileSource, Source, SourceOptions, UrlSource } from "./source.ts";
