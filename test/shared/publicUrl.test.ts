import assert from "node:assert/strict";
import { isUrl, publicUrl } from "../../shared/publicUrl.ts";

describe("A url as it may be shown", () => {
  it("is without what gives access", () => {
    const shown = publicUrl("https://user:sesame@example.org/disk.raw?v=2&X-Amz-Signature=abc#part");
    assert.equal(shown, "https://example.org/disk.raw?v=2");
  });

  it("isn't made of a path with a drive letter", () => {
    for (const path of ["C:\\images\\SHA256SUMS#2", "d:/images/SHA256SUMS?token=1", "images/SHA256SUMS#2"]) {
      assert.equal(isUrl(path), false, path);
      assert.equal(publicUrl(path), path);
    }
    assert.ok(isUrl("https://example.org/SHA256SUMS"));
  });
});
