import * as pulumi from "@pulumi/pulumi";
import type { Declared, ForInference, ImageMemberArgs, ImageMemberArgsOf } from "./args/index.ts";
import { engineOptions, markedInputs } from "./inputs.ts";
import { isOfType } from "./isOfType.ts";
import { traceProgramOnly } from "./programStack.ts";

const type = "pulumi-nodejs:dynamic/images:ImageMember";

/**
 * Somebody who may use an image: invited, and where `accept` names a connection of theirs, accepted too.
 * ```ts
 * new ImageMember("team-b", {
 *   service: "openstack", connection: "team-a", imageId: ubuntu.id,
 *   member: "0a1b2c3d4e5f60718293a4b5c6d7e8f9", accept: { connection: "team-b" },
 * });
 * ```
 */
export class ImageMember<S extends string = keyof ImageMemberArgsOf> extends pulumi.CustomResource {
  /** By which policies know the class. */
  static readonly __pulumiType: string = type;

  declare readonly imageId: pulumi.Output<string>;
  /** Id of the project; on DigitalOcean the recipient's uuid or e-mail address. */
  declare readonly memberId: pulumi.Output<string>;
  /** `pending`, `accepted` or `rejected`. */
  declare readonly status: pulumi.Output<string>;
  /** The project may share the image with others (glance-v1). */
  declare readonly canShare: pulumi.Output<boolean | undefined>;
  /** Id of the transfer, "0" where nothing had to be accepted (digitalocean). */
  declare readonly transferId: pulumi.Output<string | undefined>;
  /** ISO 8601, UTC. */
  declare readonly createdAt: pulumi.Output<string | undefined>;
  /** ISO 8601, UTC. */
  declare readonly updatedAt: pulumi.Output<string | undefined>;

  constructor(
    name: string,
    args: Declared<S, ImageMemberArgs<S & keyof ImageMemberArgsOf>, ImageMemberArgs>,
    opts?: pulumi.CustomResourceOptions,
  );
  constructor(
    name: string,
    args: ImageMemberArgs,
    opts: pulumi.CustomResourceOptions | undefined,
    nobody: ForInference,
  );
  constructor(name: string, args: { service: string }, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      imageId: undefined,
      memberId: undefined,
      status: undefined,
      canShare: undefined,
      transferId: undefined,
      createdAt: undefined,
      updatedAt: undefined,
    };
    // The old membership and the new one can be the same one to the service, so the old one has to go first.
    const traceAll = traceProgramOnly();
    try {
      super(
        type,
        name,
        { ...outputs, ...markedInputs(type, "imageMember", name, args, opts) },
        { deleteBeforeReplace: true, ...engineOptions(args, opts) },
      );
    } finally {
      traceAll();
    }
  }

  /** Whether a value is an ImageMember, made by this copy of the package or another one. */
  static override isInstance(value: unknown): value is ImageMember {
    return isOfType(value, type);
  }

  /**
   * Reads a membership without managing it.
   * @param id `<image id>/<project id>`
   */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    where: Pick<ImageMemberArgs, "service" | "connection">,
    opts?: pulumi.CustomResourceOptions,
  ): ImageMember {
    return new ImageMember(name, where as ImageMemberArgs, { ...opts, id });
  }
}
