import type * as pulumi from "@pulumi/pulumi";
import type { LeaveOut } from "../args/leaveOut.ts";
import { call, callOutput } from "./call.ts";
import type { FiltersOf } from "./filters.ts";
import type { ImageInfoOf } from "./imageInfo.ts";
import type { Inputs } from "./inputs.ts";
import type { FunctionService, Where, WhereInputs } from "./where.ts";

/** Which image: by its id, or by its name. */
export type WhichImage = {
  /** Have undefined for an image that isn't there, instead of an error. */
  ignoreMissing?: boolean;
} & (
  | { id: string; name?: LeaveOut<"an image is found by id or by name"> }
  | { name: string; id?: LeaveOut<"an image is found by id or by name"> }
);

/**
 * Looks an image up, without managing it. Of images with one name, those that the connection's own project has come before others.
 * ```ts
 * const ubuntu = await getImage({ service: "openstack", connection: "lab", name: "ubuntu-24.04" });
 * ```
 * @throws ImagesError (its `code`) "not-found"; "conflict" where several images have the name: the message lists them
 */
export function getImage<S extends FunctionService, IgnoreMissing extends boolean = false>(
  args: Where<S> & WhichImage & { ignoreMissing?: IgnoreMissing },
): Promise<ImageInfoOf[S] | Missing<IgnoreMissing>> {
  return call("getImage", args);
}

/** {@link getImage} of inputs. */
export function getImageOutput<S extends FunctionService, IgnoreMissing extends boolean = false>(
  args: WhereInputs<S> & Inputs<WhichImage> & { ignoreMissing?: IgnoreMissing },
): pulumi.Output<ImageInfoOf[S] | Missing<IgnoreMissing>> {
  return callOutput(args, getImage<S, IgnoreMissing>);
}

type Missing<Ignored extends boolean> = Ignored extends true ? undefined : never;

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
