import type * as pulumi from "@pulumi/pulumi";
import { call, callOutput } from "./call.ts";
import type { Inputs } from "./inputs.ts";
import type { Where, WhereInputs } from "./where.ts";

type DataService = "openstack" | "ecl" | "istack" | "glance-v1";

export interface DownloadImageArgs {
  imageId: string;
  /** Path, relative to the Pulumi project's folder. Its folder has to be there. */
  file: string;
  /** A file of other data may be there, and is lost. Default: false, which makes it an error. */
  overwrite?: boolean;
}

export interface DownloadedImage {
  imageId: string;
  /** The file's whole path. */
  file: string;
  /** Bytes. */
  size: number;
  /** `<algorithm>:<hex>` of the data, which the service's own digest was held against; undefined where it reports none. */
  digest?: string;
  /** Bytes that came over the network this time: 0 where the file was there already. */
  received: number;
}

/**
 * Writes an image's data to a file, in a preview too.
 *
 * The data is streamed to `<file>.<image id>.part`, compared with the digest that the service reports, and gets the file's name when it is whole
 * and on the disk. A repeat after an interruption goes on where the last one ended, if the service reports a digest and answers ranges. A
 * file with the right data is left as it is, so each run after the first moves nothing.
 * ```ts
 * const disk = downloadImageOutput({ service: "openstack", imageId: ubuntu.id, file: "build/ubuntu.qcow2" });
 * ```
 * @param progress gets the bytes that are in the file, and the bytes that it will have
 * @throws ImagesError (its `code`) "not-found"; "conflict" where the image has no data, or other data is there; "content" where what came
 * isn't what the service says that it is
 */
export function downloadImage(
  args: Where<DataService> & DownloadImageArgs,
  progress?: (bytes: number, total: number | undefined) => void,
): Promise<DownloadedImage> {
  return call("downloadImage", args, progress === undefined ? {} : { progress });
}

/** {@link downloadImage} of inputs. */
export function downloadImageOutput(
  args: WhereInputs<DataService> & Inputs<DownloadImageArgs>,
): pulumi.Output<DownloadedImage> {
  return callOutput(args, known => downloadImage(known));
}
