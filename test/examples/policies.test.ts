import assert from "node:assert/strict";
import { type Declared, Stack } from "../engine/stack.ts";
import { cloudOf, connectionOf } from "../openstack/clouds.ts";
import { disk, exampleFolder } from "./example.ts";

describe("The example policies", () => {
  const where = { service: "openstack", connection: "lab" };
  const ofImage = { ...where, imageId: { $output: "image.id" } };

  it("finds what breaks a mandatory policy of each class, on the real engine", async () => {
    const cloud = await cloudOf("local");
    const connection = connectionOf(cloud, cloud.accounts.admin);
    const stack = await Stack.create({
      // A policy pack needs the language host.
      ownProcess: true,
      config: { "images:connections": { lab: connection, elsewhere: connection } },
    });
    const image = { ...where, name: "image", diskFormat: "raw", containerFormat: "bare", source: { file: disk } };
    const declared: Declared[] = [
      { kind: "Image", name: "allowed", args: { ...image, name: "allowed" } },
      { kind: "Image", name: "image", args: { ...image, visibility: "public" } },
      { kind: "ImageMember", name: "member", args: { ...ofImage, member: cloud.accounts.consumer.projectId } },
      { kind: "ImageTag", name: "tag", args: { ...ofImage, tag: "golden" } },
      { kind: "ImageCopy", name: "copy", args: { ...ofImage, to: { connection: "elsewhere", name: "copy" } } },
    ];
    try {
      const refused = await stack.preview(declared, "--policy-pack", exampleFolder("policies"));
      assert.notEqual(refused.code, 0);
      const broken = [...refused.text.matchAll(/\[mandatory\] +([\w-]+) +\((\S+): (\w+)\)/g)];
      const type = "pulumi-nodejs:dynamic/images:";
      assert.deepEqual(broken.map(([, policy, of, name]) => `${policy} ${of?.replace(type, "")} ${name}`).sort(), [
        "copy-known ImageCopy copy",
        "image-not-public Image image",
        "member-known ImageMember member",
        "tags-in-form ImageTag tag",
      ]);
      assert.match(refused.text, /An image must not be public: have visibility "shared" and an ImageMember\./);
    } finally {
      await stack.dispose();
    }
  });
});
