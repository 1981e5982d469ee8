/**
 * Functions that look things up, in the program's own process and on the same connections as the resources, in a preview too. Each has a form
 * that gives a promise, and one (`…Output`) that takes inputs and gives an output. Under `pulumi.runtime.setMocks` they ask the mocks' `call`.
 */
export {
  type DownloadedImage,
  type DownloadImageArgs,
  downloadImage,
  downloadImageOutput,
} from "./functions/downloadImage.ts";
export {
  type CopyJobInfo,
  getCopyJob,
  getCopyJobOutput,
  getCopyJobs,
  getCopyJobsOutput,
  getLicenses,
  getLicensesOutput,
} from "./functions/ecl.ts";
export type * from "./functions/filters.ts";
export type * from "./functions/imageInfo.ts";
export { getImage, getImageOutput, getImages, getImagesOutput, type WhichImage } from "./functions/images.ts";
export { getMembers, getMembersOutput, type MemberInfo } from "./functions/members.ts";
export {
  getImportMethods,
  getImportMethodsOutput,
  getRegions,
  getRegionsOutput,
  getStores,
  getStoresOutput,
  type RegionInfo,
  type StoreInfo,
} from "./functions/places.ts";
export { getSchema, getSchemaOutput, type SchemaName, type ServiceSchema } from "./functions/schemas.ts";
export type { FunctionService, Where } from "./functions/where.ts";
