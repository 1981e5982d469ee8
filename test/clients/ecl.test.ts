import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import type { Account } from "../cloud/openStackCloud.ts";
import { services } from "../cloud/services.ts";
import { REQUIREMENTS, runScript } from "./environment.ts";
import { installOrSkip, worked } from "./outcome.ts";

/** What the script needs to know of the local ECL. */
interface Description {
  authUrl: string;
  accounts: { owner: Account; consumer: Account };
}

describe(`${REQUIREMENTS.ecl[0]} on the local cloud`, function () {
  this.timeout(900_000);
  let dir: string;
  let cloud: LocalCloud | undefined;
  before(async function () {
    if (!("ecl" in services)) this.skip();
    dir = await mkdtemp(join(tmpdir(), "clients-ecl-"));
    // Long enough for a client to cancel a job that is under way.
    cloud = await startCloud({ dir, services: ["ecl"], settings: { ecl: { copyStep: 400 } } });
  });
  after(async () => {
    await cloud?.stop();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  it("every operation on images, members, tags, copies, licences and schemas", async function () {
    const clients = await installOrSkip(this, "ecl");
    const { ecl } = (cloud?.services ?? {}) as unknown as { ecl: Description };
    const { authUrl, accounts } = ecl;
    const result = worked(await runScript(clients, "eclsdk_images.py", { authUrl, ...accounts }), {
      // These two are the SDK's own faults: it calls a method that isn't there, and looks for a key that no document has.
      remove_tag: /^AttributeError/,
      members: /^KeyError/,
      "cancel_copy_image of a finished job": /can not be canceled: its status is replicated/,
      "get_image after delete": /^NotFoundException/,
    });
    assert.equal(result.get_image, "active");
    assert.equal(result.download_image, true);
    assert.equal(result.find_image, true);
    assert.equal(result.update_image, "renamed");
    assert.deepEqual(result.tags, ["one"]);
    assert.equal(result.update_member, "accepted");
    assert.equal(result.list_image_copy_jobs, 1);
    assert.equal(result.copied, "replicated");
    assert.equal(result.get_image_schema, "image");
    assert.equal(result.canceled, "canceled");
    assert.equal(result.licenses.length, 7);
    assert.deepEqual(result.uncalled, []);
  });
});
