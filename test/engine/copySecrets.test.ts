import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onEachCloud } from "../openstack/clouds.ts";
import { GlanceBench } from "./ownership/glanceBench.ts";
import type { Declared } from "./stack.ts";

onEachCloud("Secrets in a copy", cloud => {
  const service = "openstack";
  const connection = "owner";
  const secret = (text: string) => ({ $secret: text });

  it("are in clear neither in the state nor in a preview, and changing them changes the copy", async () => {
    const bench = await GlanceBench.open(cloud());
    const stack = await bench.newStack();
    try {
      await writeFile(join(stack.folder, "small.raw"), "data");
      const declared = (word: string, plain = "1"): Declared[] => [
        {
          kind: "Image",
          name: "image",
          args: {
            ...{ service, connection, name: "secret", diskFormat: "raw", containerFormat: "bare" },
            ...{ source: { file: "small.raw" }, properties: { k: secret(`image-${word}`), plain } },
          },
          options: { additionalSecretOutputs: ["properties"] },
        },
        {
          kind: "ImageCopy",
          name: "copy",
          args: {
            ...{ service, connection, imageId: { $output: "image.id" } },
            to: { connection: "consumer", properties: { z: secret(`copy-${word}`) } },
          },
        },
      ];
      const runs = [await stack.up(declared("sesame")), await stack.up(declared("sesame"))];
      assert.deepEqual(Object.values(runs[1]?.steps ?? {}), ["same", "same"]);
      runs.push(await stack.preview(declared("open-up", "2")), await stack.up(declared("open-up", "2")));
      const state = await stack.run(["stack", "export"]);
      for (const { text } of [...runs, state]) assert.doesNotMatch(text, /sesame|open-up/);
      const { copyId } = await stack.outputs("copy");
      const copy = await (await cloud().as("consumer")).image(String(copyId));
      assert.deepEqual([copy.k, copy.z, copy.plain], ["image-open-up", "copy-open-up", "2"]);
    } finally {
      await stack.dispose();
    }
  });
});
