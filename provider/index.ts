import { partProvider } from "./resources/part.ts";

/**
 * What the engine's dynamic-provider process loads by the string in each resource's `__provider`. Nothing here is serialized
 * into a state: the state only holds the string that names this module.
 */
export { image } from "./resources/image.ts";
export const imageMember = partProvider("ImageMember", service => service.members);
export const imageTag = partProvider("ImageTag", service => service.tags);
export const imageCopy = partProvider("ImageCopy", service => service.copies);
