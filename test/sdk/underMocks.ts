import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import * as installed from "pulumi-images";
import { getImage, getImages, getImagesOutput, Image, ImageCopy, ImageMember, ImageTag } from "../../sdk/index.ts";

/** Run in a process of its own by mocks.test.ts, as mocks are for a whole process. */
describe("In a unit test", () => {
  const where = { service: "openstack" } as const;
  let answer: (args: pulumi.runtime.MockCallArgs) => unknown;
  const seen: pulumi.runtime.MockResourceArgs[] = [];

  before(() =>
    pulumi.runtime.setMocks({
      newResource(args) {
        seen.push(args);
        return { id: args.id || `${args.name}-id`, state: { ...args.inputs, status: "active" } };
      },
      call: args => answer(args) as object,
    }),
  );

  const known = <T>(output: pulumi.Output<T>) => new Promise<T>(resolve => output.apply(resolve as never));

  it("functions ask the mocks' call, by a token of their own, in both forms", async () => {
    const asked: unknown[] = [];
    answer = ({ token, inputs }) => {
      asked.push([token, inputs]);
      return [{ id: "a", status: "active" }];
    };
    assert.equal((await getImages({ ...where, tags: ["golden"] }))[0]?.id, "a");
    const listed = await known(getImagesOutput({ ...where, tags: [pulumi.output("golden")] }));
    assert.deepEqual(listed, [{ id: "a", status: "active" }]);
    const call = ["images:index:getImages", { service: "openstack", tags: ["golden"] }];
    assert.deepEqual(asked, [call, call]);
    answer = () => undefined;
    assert.equal(await getImage({ ...where, name: "x", ignoreMissing: true }), undefined);
  });

  it("a mock's error arrives as it is, and an object for a list is told", async () => {
    answer = ({ token }) => {
      throw new Error(`nothing answers ${token}`);
    };
    await assert.rejects(getImage({ ...where, name: "x" }), /^Error: nothing answers images:index:getImage$/);
    answer = ({ inputs }) => inputs;
    await assert.rejects(getImages(where), /images:index:getImages gives a list: .* not \{"service":"openstack"\}/);
  });

  it("resources have what was declared, and what the mocks give", async () => {
    const image = new Image("image", { ...where, name: "image", tags: ["a"] });
    const ofImage = { ...where, imageId: image.id };
    const parts = [
      new ImageMember("member", { ...ofImage, member: "b" }),
      new ImageTag("tag", { ...ofImage, tag: "b" }),
      new ImageCopy("copy", { ...ofImage, to: { stores: ["b"] } }),
    ];
    const read = Image.get("read", "an-id", where);
    const outputs: pulumi.Output<unknown>[] = [image.status, image.tags, image.self, read.id];
    assert.deepEqual(await Promise.all(outputs.map(known)), ["active", ["a"], "/v2/images/image-id", "an-id"]);
    for (const { urn } of parts) await known(urn);
    const inputs = Object.fromEntries(seen.map(({ name, inputs: { __provider, ...rest } }) => [name, rest]));
    const resource = (kind: string) => ({ service: "openstack", resource: `stack::project::${kind}` });
    assert.deepEqual(inputs, {
      image: { ...resource("Image::image"), name: "image", tags: ["a"] },
      member: { ...resource("ImageMember::member"), imageId: "image-id", member: "b" },
      tag: { ...resource("ImageTag::tag"), imageId: "image-id", tag: "b" },
      copy: { ...resource("ImageCopy::copy"), imageId: "image-id", to: { stores: ["b"] } },
      read: where,
    });
    // Of another copy of the package, and of a class of the user's.
    class Golden extends installed.Image {}
    const golden = new Golden("golden", { ...where, name: "golden" });
    assert.ok(!(golden instanceof Image) && Image.isInstance(golden) && Golden.__pulumiType === Image.__pulumiType);
    const [member, tag, copy] = parts;
    assert.ok(installed.ImageMember.isInstance(member) && installed.ImageTag.isInstance(tag));
    assert.ok(installed.ImageCopy.isInstance(copy) && !Image.isInstance(copy) && !Image.isInstance(golden.urn));
  });
});
