import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ownerTagOf } from "../../provider/reconcile/ownership.ts";
import { image } from "../../provider/resources/image.ts";
import { markedInputs } from "../../sdk/inputs.ts";
import { urnOf } from "../../shared/resourceName.ts";

describe("The input that says which resource it is", () => {
  const type = (kind: string) => `pulumi-nodejs:dynamic/images:${kind}`;
  const sent = (kind: string, name: string, parent?: pulumi.Resource) =>
    new Promise<string>(resolve => {
      const { resource } = markedInputs(type(kind), "image", name, {}, parent === undefined ? {} : { parent });
      pulumi.output(resource as pulumi.Input<string>).apply(resolve);
    });
  const urn = (types: string, name: string) =>
    `urn:pulumi:${pulumi.getStack()}::${pulumi.getProject()}::${types}::${name}`;

  it("is short, and gives the urn that the engine knows the resource by", async () => {
    for (const name of ["web", "a::b", "with $ and :"]) {
      const resource = await sent("Image", name);
      assert.equal(resource, `${pulumi.getStack()}::${pulumi.getProject()}::Image::${name}`);
      assert.equal(urnOf(resource), urn(type("Image"), name));
    }
  });

  it("has the types of its parents, one of this package too", async () => {
    const parentOf = (types: string) =>
      ({ __pulumiResource: true, urn: pulumi.output(urn(types, "parent")) }) as unknown as pulumi.Resource;
    for (const types of ["acme:shop:Fleet", `acme:shop:Fleet$${type("Image")}`, type("Image")])
      assert.equal(urnOf(await sent("ImageTag", "tag", parentOf(types))), urn(`${types}$${type("ImageTag")}`, "tag"));
  });

  it("was the whole urn in earlier versions: the mark is the same, and the change is none", async () => {
    const [before, now] = [urn(type("Image"), "web"), await sent("Image", "web")];
    assert.equal(urnOf(before), before);
    assert.deepEqual(ownerTagOf(now, 2), ownerTagOf(before, 2));
    const inputs = { service: "openstack", name: "web" };
    const olds = { ...inputs, resource: before, status: "active", managed: ["name"] };
    const { changes } = await image.diff("an-id", olds, { ...inputs, resource: now });
    assert.equal(changes, false);
  });
});
