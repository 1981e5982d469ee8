import assert from "node:assert/strict";
import { onEachCloud } from "../openstack/clouds.ts";
import { GlanceBench } from "./ownership/glanceBench.ts";

onEachCloud("A program that reads by an id", cloud => {
  it("fails where there is nothing of it, for each kind, and the state has nothing of it either", async () => {
    const bench = await GlanceBench.open(cloud());
    const stack = await bench.newStack();
    const args = { service: "openstack", connection: "owner" };
    const id = "00000000-0000-4000-8000-000000000000";
    try {
      const run = await stack.tryUp(
        [
          { kind: "Image", name: "image", args, get: id },
          { kind: "ImageTag", name: "tag", args, get: `${id}/stable` },
          { kind: "ImageMember", name: "member", args, get: `${id}/${cloud().accounts.consumer.projectId}` },
          { kind: "ImageCopy", name: "copy", args, get: id },
        ],
        "--continue-on-error",
      );
      assert.notEqual(run.code, 0);
      for (const kind of ["Image", "ImageTag", "ImageMember", "ImageCopy"])
        assert.match(run.text, new RegExp(`there is no ${kind} ${id}\\S* on the connection owner`));
      assert.deepEqual(await stack.state(), {});
    } finally {
      await stack.dispose();
    }
  });
});
