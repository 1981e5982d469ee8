export { type ContentIdentity, type IdentifyOptions, identify } from "./identify.ts";
export { type Content, type OpenOptions, openContent, openStream, type StreamSource } from "./openContent.ts";
export {
  type Compression,
  checkSource,
  type FileSource,
  type Source,
  type SourceProblem,
  shownSource,
  type UrlSource,
} from "./source.ts";
