import assert from "node:assert/strict";
import { OwnerLooks } from "../../provider/reconcile/ownerLooks.ts";
import { tagOf } from "./fakeAdapter.ts";

describe("Looks for images by their owner tags", () => {
  let asked: string[];
  let images: string[];
  let fails: boolean;
  const looks = (filter: "owner tag" | "nothing" = "owner tag") =>
    new OwnerLooks<string>({
      filter,
      async list(stack, hidden) {
        asked.push(`stack ${stack}${hidden ? " hidden" : ""}`);
        if (fails) throw new Error("no answer");
        return [...images];
      },
      resourceOf: image => image,
    });
  beforeEach(() => {
    [asked, images, fails] = [[], ["web", "db"], false];
  });

  it("find those of one resource", async () => {
    assert.deepEqual(await looks().find({ ownerTag: tagOf("web") }, { earlier: false }), ["web"]);
    assert.deepEqual(asked, ["stack dev"]);
  });

  it("share an answer of the last minute where that will do", async () => {
    const found = looks();
    for (const earlier of [true, true, false]) await found.find({ ownerTag: tagOf("web") }, { earlier });
    assert.deepEqual(asked, ["stack dev", "stack dev"]);
  });

  it("for many resources are one listing of their stack", async () => {
    const found = looks();
    for (const name of ["a", "b", "c", "d", "e", "f"]) await found.find({ ownerTag: tagOf(name) }, { earlier: true });
    assert.deepEqual(asked, ["stack dev"]);
  });

  it("where a service can't filter are one listing of all, and the hidden images are another one", async () => {
    const found = looks("nothing");
    for (const name of ["web", "db"]) await found.find({ ownerTag: tagOf(name) }, { earlier: true });
    await found.find({ ownerTag: tagOf("db") }, { earlier: true, hidden: true });
    assert.deepEqual(asked, ["stack dev", "stack dev hidden"]);
  });

  it("for those of later replacements, too, are one listing of the stack", async () => {
    images = ["web", "web, replaced", "db"];
    const order = { ownerTag: tagOf("web"), laterTags: ["web, replaced"] };
    assert.deepEqual(await looks().find(order, { earlier: false }), ["web", "web, replaced"]);
    assert.deepEqual(asked, ["stack dev"]);
  });

  it("that failed are made again", async () => {
    const found = looks();
    fails = true;
    await assert.rejects(found.find({ ownerTag: tagOf("web") }, { earlier: true }), /no answer/);
    fails = false;
    assert.deepEqual(await found.find({ ownerTag: tagOf("web") }, { earlier: true }), ["web"]);
  });
});
