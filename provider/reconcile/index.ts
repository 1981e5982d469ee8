import type { ImageFacts, ImageService } from "../services/service.ts";
import type { ImageAdapter } from "./adapter.ts";
import { claimImage } from "./adoptImage.ts";
import { canResume, ensureImage, finishedImages, resumeImage } from "./ensureImage.ts";
import { removeImage } from "./removeImage.ts";

/** What an image service decides about whose image is whose, over its adapter. */
export type Reconciled = Pick<
  ImageService,
  "createImage" | "completeImage" | "completable" | "finishedImages" | "deleteImage" | "claimImage" | "ownershipOf"
>;

/** The part of an image service that makes, resumes, adopts and removes images. */
export function reconciled<Image>(adapter: ImageAdapter<Image>): Reconciled {
  return {
    createImage: (order, job) => ensureImage(adapter, order, job),
    completeImage: (id, order, job) => resumeImage(adapter, id, order, job),
    completable: (id, job) => canResume(adapter, id, job),
    finishedImages: order => finishedImages(adapter, order),
    deleteImage: (id, removal, job) => removeImage(adapter, id, removal, job),
    claimImage: (id, tag, takeOver): Promise<ImageFacts> => claimImage(adapter, id, tag, takeOver),
    async ownershipOf(id, earlier = false) {
      if (earlier && adapter.asksForOwner) return undefined;
      const image = await adapter.look(id, earlier);
      return image === undefined ? undefined : await adapter.ownershipOf(image);
    },
  };
}
