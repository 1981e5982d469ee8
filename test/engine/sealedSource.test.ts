import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { markedInputs } from "../../sdk/inputs.ts";
import { unseal } from "../../shared/seal.ts";

describe("A source's secrets, on their way to the provider", () => {
  const url = "https://user:sesame@example.org/disk.raw";
  const headers = { "X-Pass": "open-up" };
  const sent = (source: object) =>
    markedInputs("pulumi-nodejs:dynamic/images:Image", "image", "web", { source }, undefined).source;

  function demandSealed(source: unknown): void {
    const { sealed, ...shown } = source as { sealed: string };
    assert.deepEqual(shown, { url: "https://example.org/disk.raw", checksums: undefined, mode: "stream" });
    assert.deepEqual(JSON.parse(unseal(sealed)), { url, headers });
  }

  it("are sealed at once where nothing has to be waited for, so that an error ends the program there", () => {
    const source = sent({ url, headers, mode: "stream" });
    assert.ok(!pulumi.Output.isInstance(source));
    demandSealed(source);
  });

  it("are sealed as soon as they are known, wherever an Output or a promise is", async () => {
    for (const later of [
      { url: pulumi.output(url), headers },
      { url: Promise.resolve(url), headers },
      { url, headers: pulumi.output(headers) },
      { url, headers: { "X-Pass": pulumi.output("open-up") } },
      { url, headers: { "X-Pass": Promise.resolve("open-up") } },
    ]) {
      const source = sent({ ...later, mode: "stream" });
      if (!pulumi.Output.isInstance(source)) assert.fail("sealed before it is known");
      demandSealed(await new Promise(resolve => source.apply(resolve)));
    }
  });
});
