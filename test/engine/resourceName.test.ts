import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { ownerTagOf } from "../../provider/reconcile/ownership.ts";
import { image } from "../../provider/resources/image.ts";
import { markedInputs } from "../../sdk/inputs.ts";
import { childName, urnOf } from "../../shared/resourceName.ts";

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

  it("is what it always was: what pulumi.createUrn says of the parent", async () => {
    // Some of what a urn may hold: a type of the stack's name elsewhere, colons and dollars in names.
    const word = fc.constantFrom("a", "my:Fleet", "pulumi:pulumi:Stack", "x", "::", "$", "ü", type("Image"));
    const text = fc.array(word, { minLength: 1, maxLength: 4 }).map(words => words.join(""));
    const types = fc.oneof(fc.constant("pulumi:pulumi:Stack"), text);
    await fc.assert(
      fc.asyncProperty(types, text, text, async (parentTypes, parentName, name) => {
        const parent = urn(parentTypes, parentName);
        const whole = await new Promise<string>(resolve => pulumi.createUrn(name, "Image", parent).apply(resolve));
        assert.equal(childName(parent, "Image", name), whole.slice("urn:pulumi:".length));
      }),
    );
  });

  it("depends on nothing: with a parent, it is a plain promise", async () => {
    const parent = { urn: pulumi.output(urn("my:Fleet", "fleet")) } as pulumi.Resource;
    const { resource } = markedInputs(type("Image"), "image", "web", {}, { parent });
    assert.ok(resource instanceof Promise);
    assert.equal(await resource, `${pulumi.getStack()}::${pulumi.getProject()}::my:Fleet$Image::web`);
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
