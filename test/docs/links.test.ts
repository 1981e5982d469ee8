import assert from "node:assert/strict";
import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { allPages, root } from "./pages.ts";

describe("Links in the documentation", () => {
  it("lead to files that there are", async () => {
    const links = (await allPages()).flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)]
        .map(([, target]) => target as string)
        .filter(target => !/^https?:/.test(target))
        .map(target => join(dirname(path), target)),
    );
    assert.ok(links.length > 5);
    for (const link of links) await assert.doesNotReject(access(join(root, link)), `there is no ${link}`);
  });
});
