import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Release } from "./index.ts";

describe("Release", () => {
  /** What was declared, by type. */
  const declared: Record<string, Record<string, unknown>> = {};

  before(() =>
    pulumi.runtime.setMocks({
      newResource({ type, name, inputs }) {
        declared[type] = inputs;
        return { id: `${name}-id`, state: inputs };
      },
      // The functions of pulumi-images ask here, not the image service.
      call: ({ token, inputs }) =>
        token === "images:index:getImage" ? { id: "golden-id", name: inputs.name, status: "active", minDisk: 8 } : {},
    }),
  );

  it("makes an image that is as large as the golden one, and tags it", async () => {
    const release = new Release("debian", "debian.raw");
    const imageId = await new Promise(resolve => release.imageId.apply(resolve));
    assert.equal(imageId, "debian-id");
    // Waits for what needs the image, too.
    await pulumi.runtime.disconnect();
    const image = declared["pulumi-nodejs:dynamic/images:Image"];
    assert.deepEqual([image?.minDisk, image?.properties], [8, { base_image: "golden-id" }]);
    const tag = declared["pulumi-nodejs:dynamic/images:ImageTag"];
    assert.deepEqual([tag?.imageId, tag?.tag], ["debian-id", "release"]);
  });
});
