import * as pulumi from "@pulumi/pulumi";
import { getImageOutput, Image, ImageTag } from "pulumi-images";

/** An image of one's own, marked as what the golden image of its day was built from. */
export class Release extends pulumi.ComponentResource {
  readonly imageId: pulumi.Output<string>;

  constructor(name: string, file: string, opts?: pulumi.ComponentResourceOptions) {
    super("acme:Release", name, {}, opts);
    const golden = getImageOutput({ service: "openstack", name: "golden" });
    const image = new Image(
      name,
      {
        service: "openstack",
        name,
        diskFormat: "raw",
        containerFormat: "bare",
        source: { file },
        minDisk: golden.apply(({ minDisk }) => minDisk ?? 1),
        properties: { base_image: golden.id },
      },
      { parent: this },
    );
    new ImageTag(name, { service: "openstack", imageId: image.id, tag: "release" }, { parent: this });
    this.imageId = image.id;
    this.registerOutputs({ imageId: image.id });
  }
}
