import assert from "node:assert/strict";
import { Claims } from "../../provider/reconcile/claims.ts";
import type { Key } from "../../provider/services/keys.ts";

describe("What the resources of a program declare", () => {
  const cloud = "https://image.example";
  const imageId = "i-1";
  const tag = (entry?: string, more: Partial<Key> = {}): Key => ({
    ...{ kind: "tag", cloud, imageId },
    ...(entry === undefined ? {} : { entry }),
    ...more,
  });
  const image: Key = { kind: "image", cloud, imageId };
  const resource = (name: string, kind = "ImageTag") => `dev::shop::${kind}::${name}`;
  const [a, b, home] = [resource("a"), resource("b"), resource("home", "Image")];
  let claims: Claims;
  beforeEach(() => {
    claims = new Claims();
  });

  describe("the same thing by two", () => {
    it("is told to the second one, with both names; the first one keeps it", () => {
      assert.deepEqual(claims.declare(a, [tag("x")]), []);
      const [conflict, ...others] = claims.declare(b, [tag("x"), tag("y")]);
      assert.deepEqual(others, []);
      assert.equal(conflict?.other, "ImageTag a");
      assert.match(conflict?.reason ?? "", /the ImageTag a and the ImageTag b both declare the tag "x" of image i-1/);
      assert.deepEqual([claims.of(a), claims.of(b)], [[tag("x")], [tag("y")]]);
    });

    it("is another thing on another cloud, of another image, or of another kind", () => {
      claims.declare(a, [tag("x")]);
      for (const other of [{ cloud: "https://other.example" }, { imageId: "i-2" }, { kind: "store" as const }])
        assert.deepEqual(claims.declare(b, [tag("x", other)]), []);
    });

    it("counts by type and name, and not by how the name is written: a repeat, a preview and an up are one resource", () => {
      claims.declare(a, [tag("x")]);
      assert.deepEqual(claims.declare(a, [tag("x")]), []);
      assert.deepEqual(
        claims.declare("urn:pulumi:dev::shop::pulumi-nodejs:dynamic/images:ImageTag::a", [tag("x")]),
        [],
      );
      assert.deepEqual(claims.add(a, [tag("x"), tag("y")]), []);
      assert.deepEqual(claims.of(a), [tag("x"), tag("y")]);
    });

    it("is free again when the first one declares something else", () => {
      claims.declare(a, [tag("x")]);
      claims.declare(a, [tag("y")]);
      assert.deepEqual(claims.declare(b, [tag("x")]), []);
      assert.deepEqual(
        claims.declare(a, [tag("x")]).map(({ other }) => other),
        ["ImageTag b"],
      );
    });

    it("is nobody's loss where it is a region, which is never taken away", () => {
      const region = tag("nyc3", { kind: "region" });
      claims.declare(home, [region]);
      assert.deepEqual(claims.declare(resource("copy", "ImageCopy"), [region]), []);
      assert.equal(claims.keeper(region, resource("copy", "ImageCopy"), "1")?.name, "Image home");
    });

    it("is one image, whatever else of it is declared", () => {
      claims.declare(home, [image, tag()]);
      const [conflict] = claims.declare(resource("copy", "ImageCopy"), [image]);
      assert.match(conflict?.reason ?? "", /the Image home and the ImageCopy copy both declare image i-1: keep one/);
    });
  });

  describe("a whole list", () => {
    const says =
      /the Image home declares all tags of this image, and the ImageTag a declares "x": list it there and remove the ImageTag a, or leave tags out of the Image home/;

    it("has no place for an entry of another resource, listed or not, whichever comes first", () => {
      for (const list of [[tag()], [tag(), tag("x")]]) {
        claims = new Claims();
        claims.declare(home, list);
        assert.match(claims.declare(a, [tag("x")])[0]?.reason ?? "", says);
        claims = new Claims();
        claims.declare(a, [tag("x")]);
        assert.match(claims.declare(home, list)[0]?.reason ?? "", says);
      }
    });

    it("has the entries of its own resource, and is gone with its declaration", () => {
      assert.deepEqual(claims.declare(home, [tag(), tag("x")]), []);
      assert.deepEqual(claims.declare(home, []), []);
      assert.deepEqual(claims.declare(a, [tag("x")]), []);
    });

    it("that another resource declares isn't forgotten with one's own", () => {
      claims.declare(home, [tag()]);
      claims.declare(a, [tag("x")]);
      claims.declare(a, []);
      assert.equal(claims.declare(a, [tag("x")]).length, 1);
    });
  });

  describe("a removal", () => {
    it("leaves what another resource declares", () => {
      claims.declare(b, [tag("x")]);
      assert.deepEqual(claims.keeper(tag("x"), a, "1"), { name: "ImageTag b", other: true });
      assert.equal(claims.keeper(tag("y"), a, "1"), undefined);
      assert.equal(claims.keeper(tag(), a, "1"), undefined);
    });

    it("comes before what a resource is about to make, and not after it", () => {
      claims.declare(a, [tag("x")]);
      assert.equal(claims.keeper(tag("x"), a, "1"), undefined, "it is deleted before it is replaced");
      claims.hold(a, "2");
      const kept = { name: "ImageTag a", other: false };
      assert.deepEqual(claims.keeper(tag("x"), a, "1"), kept);
      assert.deepEqual(claims.keeper(tag("x"), a, undefined), kept, "of a state that doesn't say");
      assert.equal(claims.keeper(tag("x"), a, "2"), undefined, "the very thing that was made");
      claims.declare(a, [tag("x")]);
      assert.equal(claims.keeper(tag("x"), a, "1"), undefined, "checked again before its replacement");
    });

    it("of the very thing frees what it declared; that of an older one of the same name doesn't", () => {
      claims.declare(a, [tag("x")]);
      claims.hold(a, "2");
      claims.release(a, "1");
      assert.equal(claims.declare(b, [tag("x")]).length, 1);
      claims.release(a, "2");
      assert.deepEqual(claims.declare(b, [tag("x")]), []);
    });
  });

  describe("work on the same thing", () => {
    it("is done one after the other; on other things at the same time; an error stops nobody", async () => {
      const log: string[] = [];
      let release = () => {};
      const held = new Promise<void>(resolve => {
        release = resolve;
      });
      const work = (name: string, wait?: Promise<void>) => async () => {
        log.push(`${name} begins`);
        await wait;
        log.push(`${name} ends`);
        if (name === "second") throw new Error("failed");
      };
      const first = claims.inTurn([tag("x"), tag("y")], work("first", held));
      const second = claims.inTurn([tag("y"), tag("z")], work("second"));
      const third = claims.inTurn([tag("z"), tag("x")], work("third"));
      await claims.inTurn([tag("other")], work("other"));
      assert.deepEqual(log, ["first begins", "other begins", "other ends"]);
      release();
      await assert.rejects(second, /failed/);
      await Promise.all([first, third]);
      assert.deepEqual(log.slice(3), ["first ends", "second begins", "second ends", "third begins", "third ends"]);
    });
  });
});
