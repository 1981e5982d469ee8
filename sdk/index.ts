export type * from "./args/index.ts";
export * from "./functions.ts";
export { Image, type ImageLookup } from "./image.ts";
export { ImageCopy } from "./imageCopy.ts";
export { ImageMember } from "./imageMember.ts";
export { ImageTag } from "./imageTag.ts";
