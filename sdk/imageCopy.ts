import * as pulumi from "@pulumi/pulumi";
import type { Declared, ForInference, ImageCopyArgs, ImageCopyArgsOf } from "./args/index.ts";
import { engineOptions, markedInputs, secrecyOfMetadata } from "./inputs.ts";
import { isOfType } from "./isOfType.ts";
import { traceProgramOnly } from "./programStack.ts";

const type = "pulumi-nodejs:dynamic/images:ImageCopy";

/**
 * An image, there too: in more stores, in another cloud, region or project. A copy that is an image of its own follows its source: changed
 * metadata is changed in place (a property that the source has lost goes from the copy, too), other data makes a new copy. Tags come along when
 * the copy is made, and don't follow: `to.tags` declares them.
 * ```ts
 * new ImageCopy("dr", { service: "openstack", connection: "lab", imageId: ubuntu.id, to: { connection: "dr-site" } });
 * ```
 */
export class ImageCopy<S extends string = keyof ImageCopyArgsOf> extends pulumi.CustomResource {
  /** By which policies know the class. */
  static readonly __pulumiType: string = type;

  declare readonly imageId: pulumi.Output<string>;
  /** Id of the copy, where it is an image of its own; the source's, where it is more of the same. */
  declare readonly copyId: pulumi.Output<string>;
  declare readonly status: pulumi.Output<string>;
  /** Percent. */
  declare readonly progress: pulumi.Output<number>;
  /** `<algorithm>:<hex>` of the data. */
  declare readonly digest: pulumi.Output<string | undefined>;
  /** Bytes. */
  declare readonly size: pulumi.Output<number | undefined>;
  /** The stores that have the data, of those asked for. */
  declare readonly stores: pulumi.Output<string[] | undefined>;
  /** The regions that have the image, of those asked for (digitalocean). */
  declare readonly regions: pulumi.Output<string[] | undefined>;

  /** Id of the job that copies (ecl, to a tenant). Its `status` is the job's: `replicating`, `replicated`, … */
  declare readonly jobId: pulumi.Output<string | undefined>;

  constructor(
    name: string,
    args: Declared<S, ImageCopyArgs<S & keyof ImageCopyArgsOf>, ImageCopyArgs>,
    opts?: pulumi.CustomResourceOptions,
  );
  constructor(name: string, args: ImageCopyArgs, opts: pulumi.CustomResourceOptions | undefined, nobody: ForInference);
  constructor(name: string, args: { service: string }, opts?: pulumi.CustomResourceOptions) {
    const names = ["imageId", "copyId", "status", "progress", "digest", "size", "stores", "regions", "jobId"];
    const outputs = Object.fromEntries(names.map(output => [output, undefined]));
    const traceAll = traceProgramOnly();
    try {
      super(
        type,
        name,
        { ...outputs, ...secrecyOfMetadata(args, opts), ...markedInputs(type, "imageCopy", name, args, opts) },
        engineOptions(args, opts),
      );
    } finally {
      traceAll();
    }
  }

  /** Whether a value is an ImageCopy, made by this copy of the package or another one. */
  static override isInstance(value: unknown): value is ImageCopy {
    return isOfType(value, type);
  }

  /** Reads a copy without managing it. @param id as `id` of an ImageCopy */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    where: Pick<ImageCopyArgs, "service" | "connection">,
    opts?: pulumi.CustomResourceOptions,
  ): ImageCopy {
    return new ImageCopy(name, where as ImageCopyArgs, { ...opts, id });
  }
}
