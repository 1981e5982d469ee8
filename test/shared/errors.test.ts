import assert from "node:assert/strict";
import { inspect } from "node:util";
import { ImagesError } from "../../provider/errors.ts";

describe("An error of this package", () => {
  const earlier = process.env.PULUMI_IMAGES_DEBUG;
  afterEach(() => {
    if (earlier === undefined) delete process.env.PULUMI_IMAGES_DEBUG;
    else process.env.PULUMI_IMAGES_DEBUG = earlier;
  });
  const shown = (): string => inspect(new ImagesError("conflict", "the id is taken", { hint: "Choose another one" }));

  it("shows no frames of its code", () => {
    delete process.env.PULUMI_IMAGES_DEBUG;
    assert.doesNotMatch(shown(), /errors\.test\.ts/);
  });

  it("shows where it comes from with PULUMI_IMAGES_DEBUG=1", () => {
    process.env.PULUMI_IMAGES_DEBUG = "1";
    assert.match(shown(), /the id is taken\. Choose another one\n\s+at .*errors\.test\.ts/s);
  });
});
