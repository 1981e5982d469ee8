import { image as imageProvider } from "./resources/image.ts";
import { partProvider } from "./resources/part.ts";
import { warningFirst } from "./resources/provider.ts";

/**
 * What the engine's dynamic-provider process loads by the string in each resource's `__provider`. Nothing here is serialized
 * into a state: the state only holds the string that names this module.
 */
export const image = warningFirst(imageProvider);
export const imageMember = warningFirst(partProvider("ImageMember", service => service.members));
export const imageTag = warningFirst(partProvider("ImageTag", service => service.tags));
export const imageCopy = warningFirst(partProvider("ImageCopy", service => service.copies));
