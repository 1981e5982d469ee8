import * as pulumi from "@pulumi/pulumi";
import type { CommonArgs } from "./args/common.ts";
import type { Declared, ForInference, ImageArgs, ImageService } from "./args/index.ts";
import { allOutputNames, type ImageOutputs, outputNames } from "./imageOutputs.ts";
import { imagePaths } from "./imagePaths.ts";
import { engineOptions, markedInputs } from "./inputs.ts";
import { isOfType } from "./isOfType.ts";
import { traceAgain, traceNothing, traceProgramOnly } from "./programStack.ts";

const imageType = "pulumi-nodejs:dynamic/images:Image";

/** Which image to read, and where. */
export interface ImageLookup<S extends ImageService = ImageService> extends CommonArgs {
  service: S;
}

class ImageResource extends pulumi.CustomResource {
  /** By which policies know the class. */
  static readonly __pulumiType: string = imageType;

  constructor(name: string, args: ImageArgs, opts?: pulumi.CustomResourceOptions) {
    const traceAll = traceProgramOnly();
    try {
      const inputs = { ...outputsOf(args), ...markedInputs(imageType, "image", name, args, opts) };
      super(imageType, name, inputs, engineOptions(args, opts));
    } finally {
      traceAll();
    }
  }

  static override isInstance(value: unknown): value is ImageResource {
    return isOfType(value, imageType);
  }

  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    where: ImageLookup,
    opts?: pulumi.CustomResourceOptions,
  ): ImageResource {
    return new ReadImage(name, id, where, opts);
  }
}

class ReadImage extends ImageResource {
  constructor(name: string, id: pulumi.Input<pulumi.ID>, where: ImageLookup, opts?: pulumi.CustomResourceOptions) {
    super(name, where as ImageArgs, { ...opts, id });
  }
}

/**
 * The engine fills in what a resource names: each output has to be there from the start. Each costs time in the program, so that it is just
 * those of the service, where that is known.
 */
function outputsOf({ service }: ImageLookup): Record<string, undefined> {
  return Object.fromEntries(outputNames(service).map(name => [name, undefined]));
}

/** The outputs of other services are there, without a value. */
const nothing = pulumi.output(undefined);
for (const name of allOutputNames)
  Object.defineProperty(ImageResource.prototype, name, { configurable: true, writable: true, value: nothing });

for (const name of imagePaths.names)
  Object.defineProperty(ImageResource.prototype, name, {
    configurable: true,
    get(this: ImageResource & { service: pulumi.Output<ImageArgs["service"]> }) {
      return pulumi.all([this.service, this.id]).apply(([service, id]) => imagePaths.of(service, id)?.[name]);
    },
  });

/** The SDK sets the outputs one after the other, in the order of `outputsOf`: this is done with the first and with the last of them. */
for (const [name, done] of [
  ["status", traceNothing],
  ["updatedAt", traceAgain],
] as const) {
  Object.defineProperty(ImageResource.prototype, name, {
    configurable: true,
    get: () => nothing,
    set(value) {
      Object.defineProperty(this, name, { value, enumerable: true, configurable: true, writable: true });
      done();
    },
  });
}

type ImageStatics = Omit<typeof ImageResource, "prototype" | "get" | "isInstance">;

interface ImageClass extends ImageStatics {
  readonly prototype: Image;
  new <S extends string = ImageService>(
    name: string,
    args: Declared<S, ImageArgs<S & ImageService>, ImageArgs>,
    opts?: pulumi.CustomResourceOptions,
  ): Image<S & ImageService>;
  new (name: string, args: ImageArgs, opts: pulumi.CustomResourceOptions | undefined, nobody: ForInference): Image;
  /** Whether a value is an Image, made by this copy of the package or another one. */
  isInstance(value: unknown): value is Image;
  /**
   * Reads an image without managing it.
   * @param id the image's id on the service
   */
  get<S extends ImageService>(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    where: ImageLookup<S>,
    opts?: pulumi.CustomResourceOptions,
  ): Image<S>;
}

/**
 * A machine image on an image service.
 *
 * What is declared is managed: it is put right when it was changed outside. What isn't declared is left alone.
 * ```ts
 * const ubuntu = new Image("ubuntu", {
 *   service: "openstack",
 *   name: "ubuntu-24.04",
 *   diskFormat: "qcow2",
 *   containerFormat: "bare",
 *   source: { file: "build/ubuntu.qcow2" },
 *   tags: ["golden"],
 *   properties: { os_distro: "ubuntu" },
 * });
 * export const imageId = ubuntu.id;
 * ```
 * The option `customTimeouts` limits how long create (default 60 minutes), update (60) and delete (30) may take.
 */
export type Image<S extends ImageService = ImageService> = pulumi.CustomResource & ImageOutputs<S>;
/** {@link Image} */
export const Image = ImageResource as unknown as ImageClass;
