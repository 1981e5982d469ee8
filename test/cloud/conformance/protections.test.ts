import assert from "node:assert/strict";
import { onEachCloud } from "../../openstack/clouds.ts";
import type { PropertyProtection } from "../images/protections.ts";
import { type Answer, ImageClient, RAW } from "./client.ts";

const everybody = ["admin", "member"];
const reserved = /^Attribute 'pulumi_images_resource' is reserved\.<br \/><br \/>/;

/** The properties pulumi_…, which only an administrator writes, and all others, which everybody does. */
function protectedFor(read: string[]): PropertyProtection[] {
  const admin = ["admin"];
  return [
    { property: "^pulumi_.*", create: admin, read, update: admin, delete: admin },
    { property: ".*", create: everybody, read: everybody, update: everybody, delete: everybody },
  ];
}

onEachCloud("An image service that forbids", cloud => {
  const name = "pulumi_images_resource";
  let owner: ImageClient;
  let admin: ImageClient;
  before(() => {
    owner = new ImageClient(cloud());
    admin = new ImageClient(cloud(), "admin");
  });
  after(() => cloud().restrict({}));

  const change = (id: string, op: string, value?: string, who = owner) =>
    who.patch(id, { op, path: `/${name}`, ...(value === undefined ? {} : { value }) });
  const refused = ({ status, json }: Answer) => {
    assert.equal(status, 403);
    assert.match(json.message, reserved);
  };
  const missing = ({ status, json }: Answer) => {
    assert.equal(status, 409);
    assert.match(json.message, /^There was a conflict .*\nProperty pulumi_images_resource does not exist\./);
  };
  const kept = async (id: string) => (await admin.get(id)).json[name];

  describe("properties to be written", () => {
    before(() => cloud().restrict({ propertyProtections: protectedFor(["admin", "member", "reader"]) }));

    it("refuses them in a new image, before it counts its tags", async () => {
      refused(await owner.send("POST", "/v2/images", { [name]: "1" }));
      refused(await owner.send("POST", "/v2/images", { os_distro: "ubuntu", [name]: "1" }));
      assert.equal((await owner.send("POST", "/v2/images", { os_distro: "ubuntu" })).status, 201);
      await cloud().restrict({ propertyProtections: protectedFor(everybody), maxTags: 0 });
      refused(await owner.send("POST", "/v2/images", { tags: ["a"], [name]: "1" }));
      await cloud().restrict({ propertyProtections: protectedFor(everybody) });
    });

    it("refuses to add, replace and remove them, and all that was asked for with it", async () => {
      const id = await owner.create({ name: "before", ...RAW });
      refused(await change(id, "add", "1"));
      missing(await change(id, "replace", "1"));
      missing(await change(id, "remove"));
      assert.equal((await change(id, "add", "1", admin)).status, 200);
      for (const [op, value] of [["add", "2"], ["replace", "2"], ["replace", "1"], ["remove"]] as [string, string?][]) {
        refused(await change(id, op, value));
      }
      const both = [
        { op: "replace", path: "/name", value: "after" },
        { op: "remove", path: `/${name}` },
      ];
      refused(await owner.patch(id, ...both));
      assert.equal((await owner.get(id)).json.name, "before");
    });

    it("shows them, finds images by them, and keeps them through other changes", async () => {
      const id = await owner.create(RAW);
      await change(id, "add", id, admin);
      assert.equal((await owner.get(id)).json[name], id);
      const found = await owner.send("GET", `/v2/images?${name}=${id}`);
      assert.deepEqual(
        found.json.images.map((image: Record<string, unknown>) => image[name]),
        [id],
      );
      assert.equal((await owner.upload(id, Buffer.from("abc"))).status, 204);
      assert.equal((await owner.send("PUT", `/v2/images/${id}/tags/a`)).status, 204);
      assert.equal(await kept(id), id);
    });
  });

  describe("properties to be read", () => {
    before(() => cloud().restrict({ propertyProtections: protectedFor(["admin"]) }));

    /** An image of the owner's that an administrator wrote the property on. */
    async function marked(): Promise<string> {
      const id = await owner.create(RAW);
      await change(id, "add", id, admin);
      return id;
    }

    it("doesn't show them, and finds images by them all the same", async () => {
      const id = await marked();
      assert.equal((await owner.get(id)).json[name], undefined);
      const { json } = await owner.send("GET", `/v2/images?${name}=${id}`);
      assert.deepEqual(
        json.images.map((image: Record<string, unknown>) => [image.id, image[name]]),
        [[id, undefined]],
      );
      assert.equal(await kept(id), id);
    });

    it("answers as if there were none, and refuses to make them", async () => {
      const id = await marked();
      refused(await change(id, "add", "2"));
      missing(await change(id, "replace", "2"));
      missing(await change(id, "remove"));
      assert.equal(await kept(id), id);
    });

    const writes: Record<string, (id: string) => Promise<Answer>> = {
      "a change of the name": id => owner.patch(id, { op: "replace", path: "/name", value: "renamed" }),
      "a tag": id => owner.send("PUT", `/v2/images/${id}/tags/a`),
      "an upload": id => owner.upload(id, Buffer.from("abc")),
    };
    for (const [what, write] of Object.entries(writes)) {
      it(`loses them with ${what} by somebody who may not read them`, async () => {
        const id = await marked();
        const { status } = await write(id);
        assert.ok(status === 200 || status === 204, String(status));
        assert.equal(await kept(id), undefined);
      });
    }
  });

  describe("properties that no section names", () => {
    before(() =>
      cloud().restrict({
        propertyProtections: [
          { property: "^os_", create: everybody, read: everybody, update: everybody, delete: everybody },
        ],
      }),
    );

    it("refuses them to administrators, too", async () => {
      for (const who of [owner, admin]) refused(await who.send("POST", "/v2/images", { [name]: "1" }));
    });

    it("lets imports write the service's own", async () => {
      const id = await owner.create(RAW);
      assert.equal((await owner.stage(id, Buffer.from("abc"))).status, 204);
      assert.equal((await owner.import(id, { method: { name: "glance-direct" } })).status, 202);
      assert.equal((await owner.settled(id)).image.status, "active");
    });
  });

  describe("tags", () => {
    let tagged: string;
    before(async () => {
      await cloud().restrict({});
      tagged = await owner.create({ ...RAW, tags: ["a"] });
      await cloud().restrict({ maxTags: 0 });
    });

    const limit = (attempted: number) =>
      `The limit has been exceeded on the number of allowed image tags. Attempted: ${attempted}, Maximum: 0`;

    it("refuses them in a new image, and takes an empty list", async () => {
      const { status, json } = await owner.send("POST", "/v2/images", { tags: ["a", "b"], [name]: "1" });
      assert.equal(status, 413);
      assert.ok(json.message.startsWith(`${limit(2)}<br />`), json.message);
      assert.equal((await owner.send("POST", "/v2/images", { tags: [] })).status, 201);
    });

    it("refuses to add them", async () => {
      const id = await owner.create(RAW);
      const put = await owner.send("PUT", `/v2/images/${id}/tags/a`);
      assert.equal(put.status, 413);
      assert.ok(put.json.message.startsWith(`Image tag limit exceeded for image ${id}: ${limit(1)}:<br />`));
      const patch = await owner.patch(id, { op: "replace", path: "/tags", value: ["a", "b"] });
      assert.equal(patch.status, 413);
      assert.ok(patch.json.message.startsWith(`${limit(2)}<br />`), patch.json.message);
      assert.equal((await owner.patch(id, { op: "replace", path: "/tags", value: [] })).status, 200);
    });

    it("leaves those that are there, through other changes, and lets them be removed", async () => {
      assert.equal((await owner.patch(tagged, { op: "replace", path: "/name", value: "renamed" })).status, 200);
      assert.equal((await owner.upload(tagged, Buffer.from("abc"))).status, 204);
      assert.deepEqual((await owner.get(tagged)).json.tags, ["a"]);
      assert.equal((await owner.send("DELETE", `/v2/images/${tagged}/tags/a`)).status, 204);
    });
  });

  it("nothing: takes tags of the form in which an owner is written, and finds images by them", async () => {
    await cloud().restrict({});
    const tags = [`pulumi_images_resource=${"a".repeat(32)}`, "pulumi_images_unfinished=2026-11-29T01:41:41.000Z"];
    const id = await owner.create({ tags });
    assert.deepEqual((await owner.get(id)).json.tags.sort(), tags);
    for (const tag of tags) {
      const { json } = await owner.send("GET", `/v2/images?tag=${encodeURIComponent(tag)}`);
      assert.ok(json.images.some((image: { id: string }) => image.id === id));
      assert.equal((await owner.send("DELETE", `/v2/images/${id}/tags/${tag}`)).status, 204);
      assert.equal((await owner.send("PUT", `/v2/images/${id}/tags/${encodeURIComponent(tag)}`)).status, 204);
    }
    assert.deepEqual((await owner.get(id)).json.tags.sort(), tags);
  });
});
