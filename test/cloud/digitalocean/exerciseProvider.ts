import assert from "node:assert/strict";
import { ownerTagOf } from "../../../provider/reconcile/ownership.ts";
import { openServices } from "../../../provider/runtime.ts";
import type { ImageOrder, ImageService, Job, PartService, Values } from "../../../provider/services/service.ts";
import { serveFiles } from "./exercise.ts";
import type { DigitalOceanDescription } from "./index.ts";

/** Everything that the provider asks of DigitalOcean, by its own code: for checking its requests against schemas. */
export async function exerciseProvider(cloud: DigitalOceanDescription): Promise<void> {
  const { sender, recipient } = cloud.accounts;
  const account = (token: string) => ({ service: "digitalocean", token, endpoint: cloud.url });
  const connections = JSON.stringify({ sender: account(sender.token), recipient: account(recipient.token) });
  const open = openServices({ get: key => (key === "images:connections" ? connections : undefined) }, {}, () => {});
  const [service, theirs] = ["sender", "recipient"].map(connection =>
    open({ service: "digitalocean", connection }),
  ) as [ImageService, ImageService];
  const { tags, copies, members, lookups } = service as ImageService &
    Record<"tags" | "copies" | "members", PartService>;
  const job: Job = {
    report: () => {},
    warn: () => {},
    stays: () => false,
    signal: new AbortController().signal,
    deadline: Date.now() + 60_000,
    label: "exercise",
  };
  const files = await serveFiles({ "/disk.raw": Buffer.alloc(1024 * 1024) });
  const order = (name: string, values: Values, path?: string): ImageOrder => ({
    values: { name, ...values },
    ownerTag: ownerTagOf(`urn:pulumi:dev::exercise::images::${name}`, 0),
    data:
      path === undefined
        ? undefined
        : { url: `${files.url}${path}`, import: true, open: () => Promise.reject(new Error("it is fetched")) },
  });
  try {
    await service.signIn();
    assert.equal((await service.checkImage({ regions: ["nyc3", "nyc9"] })).length, 1);
    const details = { distribution: "Debian", description: "a disk", tags: ["golden", "web:1"] };
    const made = await service.createImage(
      order("by url", { ...details, regions: ["nyc3", "ams3"] }, "/disk.raw"),
      job,
    );
    const wanted = { name: "renamed", description: "", distribution: "Ubuntu", tags: ["golden"], regions: ["fra1"] };
    await service.updateImage(made.id, { actual: made, wanted, removedProperties: [] }, job);
    await assert.rejects(service.createImage(order("never", { regions: ["nyc3"] }, "/none"), job));
    const { dropletId, backupId } = sender;
    const snapshot = await service.createImage(order("of a droplet", { dropletId, tags: ["golden"] }), job);
    await service.createImage(order("of a backup", { backupId, regions: ["nyc3"] }), job);
    assert.equal((await service.findImages({ name: "renamed" })).length, 1);
    assert.equal((await service.readImage("debian-12-x64"))?.visibility, "public");

    const tag = await tags.create({ imageId: made.id, tag: "release" }, job);
    assert.ok(await tags.read(tag.id, {}));
    await tags.delete(tag.id, {}, job);
    const copy = await copies.create({ imageId: made.id, regions: ["sgp1"] }, job);
    await copies.delete(copy.id, { regions: ["sgp1"] }, job);
    const of = { imageId: snapshot.id, recipientUuid: recipient.uuid };
    const offered = await members.create({ imageId: snapshot.id, recipientEmail: recipient.email }, job);
    await members.delete(offered.id, {}, job);
    await members.create({ ...of, accept: { connection: "recipient" } }, job);

    assert.equal((await lookups?.listImages({ filters: { tag: "golden" }, sort: [], most: 10 }))?.length, 1);
    for (const filters of [{ type: "distribution" }, { private: true }])
      await lookups?.listImages({ filters, sort: [], most: 10 });
    await theirs.deleteImage(snapshot.id, { force: false }, job);
    await service.deleteImage(made.id, { force: false }, job);
    await service.deleteImage(made.id, { force: false }, job);
  } finally {
    await files.close();
  }
}
