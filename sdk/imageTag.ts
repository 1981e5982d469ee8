import * as pulumi from "@pulumi/pulumi";
import type { Declared, ForInference, ImageTagArgs, ImageTagArgsOf } from "./args/index.ts";
import { engineOptions, markedInputs } from "./inputs.ts";
import { isOfType } from "./isOfType.ts";
import { traceProgramOnly } from "./programStack.ts";

const type = "pulumi-nodejs:dynamic/images:ImageTag";

/**
 * One tag of an image, and nothing else of it: two programs can each own their tags on one image. An Image of the same program that
 * declares its `tags` owns all of them, so leave them out there.
 * ```ts
 * new ImageTag("release", { service: "openstack", imageId: ubuntu.id, tag: "2026-11" });
 * ```
 */
export class ImageTag<S extends string = keyof ImageTagArgsOf> extends pulumi.CustomResource {
  /** By which policies know the class. */
  static readonly __pulumiType: string = type;

  declare readonly imageId: pulumi.Output<string>;
  declare readonly tag: pulumi.Output<string>;

  constructor(
    name: string,
    args: Declared<S, ImageTagArgs<S & keyof ImageTagArgsOf>, ImageTagArgs>,
    opts?: pulumi.CustomResourceOptions,
  );
  constructor(name: string, args: ImageTagArgs, opts: pulumi.CustomResourceOptions | undefined, nobody: ForInference);
  constructor(name: string, args: { service: string }, opts?: pulumi.CustomResourceOptions) {
    const inputs = { imageId: undefined, tag: undefined, ...markedInputs(type, "imageTag", name, args, opts) };
    // The old tag and the new one can be the same one to the service, so the old one has to go first.
    const traceAll = traceProgramOnly();
    try {
      super(type, name, inputs, { deleteBeforeReplace: true, ...engineOptions(args, opts) });
    } finally {
      traceAll();
    }
  }

  /** Whether a value is an ImageTag, made by this copy of the package or another one. */
  static override isInstance(value: unknown): value is ImageTag {
    return isOfType(value, type);
  }

  /**
   * Reads a tag without managing it.
   * @param id `<image id>/<tag>`, the tag as in a url
   */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    where: Pick<ImageTagArgs, "service" | "connection">,
    opts?: pulumi.CustomResourceOptions,
  ): ImageTag {
    return new ImageTag(name, where as ImageTagArgs, { ...opts, id });
  }
}
