import assert from "node:assert/strict";
import { claimImage } from "../../provider/reconcile/adoptImage.ts";
import type { ExpectedOwner } from "../../provider/reconcile/ownership.ts";
import { removeImage } from "../../provider/reconcile/removeImage.ts";
import { type FakeImage, FakeService, tagOf } from "./fakeAdapter.ts";

const image = (more: Partial<FakeImage> = {}): FakeImage => ({ id: "one", phase: "ready", data: "x", ...more });

/** Who may adopt what. `web` of the stack `dev` is the resource that adopts. */
const adoptions: { of: string; found: FakeImage; plain?: RegExp; takeOver?: RegExp }[] = [
  { of: "an image that carries no owner tag", found: image() },
  { of: "its own image", found: image({ owner: tagOf("web") }) },
  { of: "an image of another resource of its stack", found: image({ owner: tagOf("db") }) },
  {
    of: "an image of another stack",
    found: image({ owner: tagOf("web-of-prod", "prod") }),
    plain: /carries the owner tag of another stack, which may still manage it.*takeOver: true/s,
  },
  {
    of: "an image that another resource is making",
    found: image({ owner: tagOf("db"), unfinished: true }),
    plain: /isn't finished: another resource is making it.*takeOver: true/s,
  },
];

describe("Adoption, over a fake adapter,", () => {
  for (const { of, found, plain, takeOver } of adoptions) {
    for (const [how, refusal] of [
      ["", plain],
      [" with takeOver", takeOver],
    ] as const) {
      it(`of ${of}${how} is ${refusal ? "refused" : "done, and writes the owner tag"}`, async () => {
        const service = new FakeService([{ ...found }]);
        const claiming = claimImage(service.adapter, "one", tagOf("web"), how !== "");
        if (refusal === undefined) {
          assert.equal((await claiming).ownerTag, "web");
          assert.deepEqual(service.ends(), { one: "web finished x" });
          return;
        }
        await assert.rejects(claiming, (error: Error & { hint?: string }) => {
          assert.match(`${error.message} ${error.hint ?? ""}`, refusal);
          return true;
        });
        assert.deepEqual(service.done, []);
      });
    }
  }

  it("of an image that isn't there is an error", async () => {
    await assert.rejects(claimImage(new FakeService().adapter, "one", tagOf("web"), true), {
      message: /there is no image one/,
    });
  });
});

/** What a deletion leaves alone. The state is that of `web`. */
const deletions: { of: string; found: FakeImage; recorded?: string; stays: boolean }[] = [
  { of: "its own image", found: image({ owner: tagOf("web") }), recorded: "web", stays: false },
  { of: "an image whose owner tag somebody took away", found: image(), recorded: "web", stays: false },
  {
    of: "an image that another resource has adopted",
    found: image({ owner: tagOf("db") }),
    recorded: "web",
    stays: true,
  },
  {
    of: "an image whose tag has the resource's old name, as the state records",
    found: image({ owner: tagOf("old-name") }),
    recorded: "old-name",
    stays: false,
  },
  {
    of: "an image of a state that records no tag, whose tag a create wrote",
    found: image({ owner: tagOf("old-name") }),
    stays: false,
  },
  {
    of: "an image of a state that records no tag, whose tag an adoption wrote",
    found: image({ owner: tagOf("db"), adopted: true }),
    stays: true,
  },
];

describe("Deletion, over a fake adapter,", () => {
  for (const { of, found, recorded, stays } of deletions) {
    it(`of ${of} ${stays ? "leaves it alone and says so" : "removes it"}`, async () => {
      const service = new FakeService([{ ...found }]);
      const owner: ExpectedOwner = { tag: tagOf("web"), recorded };
      await removeImage(service.adapter, "one", { force: false, owner }, service.job);
      assert.deepEqual(service.done, stays ? [] : ["delete one"]);
      assert.equal(service.warnings.length, stays ? 1 : 0);
    });
  }
});
