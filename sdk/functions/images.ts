import type * as pulumi from "@pulumi/pulumi";
import { call, callOutput, type Inputs } from "./call.ts";
import type { FiltersOf } from "./filters.ts";
import type { ImageInfoOf } from "./imageInfo.ts";
import type { FunctionService, Where, WhereInputs } from "./where.ts";

/** Which image: by its id, or by its name. */
export type WhichImage = {
  /** Have undefined for an image that isn't there, instead of an error. */
  ignoreMissing?: boolean;
} & ({ id: string; name?: undefined } | { name: string; id?: undefined });

/**
 * Looks an image up, without managing it. Of images with one name, those that the connection's own project has come before others.
 * ```ts
 * const ubuntu = await getImage({ service: "openstack", connection: "lab", name: "ubuntu-24.04" });
 * ```
 * @throws ImagesError (its `code`) "not-found"; "conflict" where several images have the name: the message lists them
 */
export function getImage<S extends FunctionService>(
  args: Where<S> & WhichImage & { ignoreMissing: true },
): Promise<ImageInfoOf[S] | undefined>;
export function getImage<S extends FunctionService>(args: Where<S> & WhichImage): Promise<ImageInfoOf[S]>;
export function getImage<S extends FunctionService>(args: Where<S> & WhichImage): Promise<ImageInfoOf[S] | undefined> {
  return call("getImage", args);
}

/** {@link getImage} of inputs. */
export function getImageOutput<S extends FunctionService>(
  args: WhereInputs<S> & Inputs<WhichImage> & { ignoreMissing: true },
): pulumi.Output<ImageInfoOf[S] | undefined>;
export function getImageOutput<S extends FunctionService>(
  args: WhereInputs<S> & Inputs<WhichImage>,
): pulumi.Output<ImageInfoOf[S]>;
export function getImageOutput<S extends FunctionService>(
  args: WhereInputs<S> & Inputs<WhichImage>,
): pulumi.Output<ImageInfoOf[S] | undefined> {
  return callOutput(args, getImage<S>);
}

/**
 * Lists images. What may be asked depends on the service; its pages are put together.
 * ```ts
 * const [newest] = await getImages({ service: "openstack", tags: ["golden"], status: "active", latest: true });
 * ```
 */
export function getImages<S extends FunctionService>(args: Where<S> & FiltersOf[S]): Promise<ImageInfoOf[S][]> {
  return call("getImages", args);
}

/** {@link getImages} of inputs. */
export function getImagesOutput<S extends FunctionService>(
  args: WhereInputs<S> & Inputs<FiltersOf[S]>,
): pulumi.Output<ImageInfoOf[S][]> {
  return callOutput(args, getImages<S>);
}
