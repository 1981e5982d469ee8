import assert from "node:assert/strict";
import { classesOf, classesOfLoss, type DriftClass } from "../../cli/drift/classify.ts";
import type { Kind } from "../../provider/fields/field.ts";

describe("What a drift means", () => {
  const cases: [Kind, string, unknown, unknown, ...DriftClass[]][] = [
    ["Image", "visibility", "private", "public", "security"],
    ["Image", "visibility", "shared", "community", "security"],
    ["Image", "visibility", "private", "everybody", "security"],
    ["Image", "visibility", "public", "private", "availability"],
    ["Image", "isPublic", false, true, "security"],
    ["Image", "isPublic", true, false, "availability"],
    ["Image", "protected", true, false, "security"],
    ["Image", "protected", false, true, "metadata"],
    ["Image", "hidden", false, true, "metadata"],
    ["Image", "owner", "a", "b", "security"],
    ["Image", "diskFormat", "raw", "qcow2", "security"],
    ["Image", "cloudImageId", "ami-1", "ami-2", "security"],
    ["Image", "members", ["a"], ["a", "b"], "security"],
    ["Image", "members", ["a"], [], "availability"],
    ["Image", "members", ["a"], ["b"], "security", "availability"],
    ["Image", "state", "active", "deactivated", "availability"],
    ["Image", "state", "deactivated", "active", "security"],
    ["Image", "status", "active", "killed", "availability"],
    ["Image", "status", "active", undefined, "availability"],
    ["Image", "content", "sha256:ab", "changed on the server (hashValue cd)", "security"],
    ["Image", "content", "sha256:ab", "none (killed)", "availability"],
    ["Image", "hashValue", "ab", undefined, "availability"],
    ["Image", "size", 4096, 4097, "security"],
    ["Image", "size", 4096, 0, "availability"],
    ["Image", "stores", ["a", "b"], ["a"], "availability"],
    ["Image", "regions", ["nyc3"], [], "availability"],
    ["Image", "regions", ["nyc3"], ["nyc3", "ams3"], "metadata"],
    ["Image", "properties", { os_distro: "a", x: "1" }, { x: "1" }, "metadata"],
    ["Image", "properties", { img_signature: "a" }, {}, "security"],
    ["Image", "properties", { os_secure_boot: "required" }, { os_secure_boot: "optional" }, "security"],
    ["Image", "name", "a", "b", "metadata"],
    ["Image", "tags", ["a"], [], "metadata"],
    ["Image", "minDisk", 1, 2, "metadata"],
    ["Image", "description", "a", undefined, "metadata"],
    ["ImageMember", "status", "accepted", "rejected", "availability"],
    ["ImageMember", "status", "accepted", "pending", "availability"],
    ["ImageMember", "status", "pending", "accepted", "metadata"],
    ["ImageMember", "canShare", false, true, "security"],
    ["ImageCopy", "status", "replicated", "failed", "availability"],
    ["ImageCopy", "digest", "sha512:ab", "sha512:cd", "security"],
    [
      "ImageCopy",
      "metadata",
      { tags: ["a"], visibility: "private" },
      { tags: [], visibility: "public" },
      "security",
      "metadata",
    ],
    ["ImageCopy", "metadata", { tags: ["a"] }, { tags: [] }, "metadata"],
  ];
  for (const [kind, field, old, now, ...classes] of cases) {
    it(`${kind}.${field}: ${JSON.stringify(old)} → ${JSON.stringify(now) ?? "gone"} is ${classes.join(" and ")}`, () => {
      assert.deepEqual(classesOf({ kind, field, old, new: now }), classes);
    });
  }

  it("a lost image, member or copy is missing to somebody; a lost tag is not", () => {
    const losses = (["Image", "ImageMember", "ImageCopy", "ImageTag"] as const).map(kind => classesOfLoss(kind)[0]);
    assert.deepEqual(losses, ["availability", "availability", "availability", "metadata"]);
  });
});
