import * as pulumi from "@pulumi/pulumi";
import type { ImageTagArgs } from "./args/index.ts";
import { engineOptions, markedInputs } from "./inputs.ts";
import { traceProgramOnly } from "./programStack.ts";

const type = "pulumi-nodejs:dynamic/images:ImageTag";

/**
 * One tag of an image, and nothing else of it: two programs can each own their tags on one image. An Image of the same program that
 * declares its `tags` owns all of them, so leave them out there.
 * ```ts
 * new ImageTag("release", { service: "openstack", imageId: ubuntu.id, tag: "2026-11" });
 * ```
 */
export class ImageTag extends pulumi.CustomResource {
  declare readonly imageId: pulumi.Output<string>;
  declare readonly tag: pulumi.Output<string>;

  constructor(name: string, args: ImageTagArgs, opts?: pulumi.CustomResourceOptions) {
    const inputs = { imageId: undefined, tag: undefined, ...markedInputs(type, "imageTag", name, args, opts) };
    // The old tag and the new one can be the same one to the service, so the old one has to go first.
    const traceAll = traceProgramOnly();
    try {
      super(type, name, inputs, { deleteBeforeReplace: true, ...engineOptions(args, opts) });
    } finally {
      traceAll();
    }
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
