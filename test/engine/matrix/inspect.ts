import assert from "node:assert/strict";
import { sha256 } from "../../support/disk.ts";
import { nameOf } from "../stack.ts";
import { type Checkpoint, checkpointOf, type MatrixBench } from "./bench.ts";
import { md5 } from "./places.ts";
import type { Slot } from "./subjects.ts";

type Resource = NonNullable<Checkpoint["resources"]>[number];

/** The accounts whose images are counted. */
const accounts = ["openstack/owner", "openstack/consumer", "ecl/owner", "ecl/consumer", "istack/owner"].concat([
  ...["glance-v1/owner", "glance-v1/consumer", "digitalocean/owner", "digitalocean/recipient", "divvycloud/owner"],
]);

/**
 * Holds all services and the stack's state against what is declared: exactly one image for each, with the right data, and nothing else
 * anywhere; no member, tag or copy too many or too few; nothing unfinished in the state.
 */
export async function inspect(bench: MatrixBench, project: string): Promise<void> {
  const checkpoint = await checkpointOf(bench.stack, project);
  assert.deepEqual(checkpoint.pending_operations ?? [], [], "pending operations");
  const resources = new Map<string, Resource>();
  for (const resource of checkpoint.resources ?? []) {
    if (!resource.type.includes("dynamic/images:")) continue;
    const name = nameOf(resource.urn);
    assert.ok(!resources.has(name) && !resource.delete, `${name} is in the state twice, or to be deleted`);
    assert.deepEqual(resource.initErrors ?? [], [], `${name} is unfinished`);
    resources.set(name, resource);
  }
  const declared = bench.slots.filter(({ phase }) => phase !== "absent");
  assert.deepEqual([...resources.keys()].sort(), declared.map(({ name }) => name).sort(), "resources in the state");
  await inspectImages(bench, declared, resources);
  await inspectParts(bench, declared, resources);
  assert.deepEqual(await bench.places.deadMarks(), [], "marks of images that aren't there any more");
}

async function inspectImages(bench: MatrixBench, declared: Slot[], resources: Map<string, Resource>): Promise<void> {
  const expected = new Map<string, { name: string; disk?: Buffer; place: string }>();
  const add = (place: string, id: unknown, name: string, disk?: Buffer) =>
    expected.set(`${place} ${String(id)}`, { name, place, ...(disk === undefined ? {} : { disk }) });
  for (const { base, name, subject } of bench.bases) add(`${subject.service}/owner`, base, `base of ${name}`);
  for (const slot of declared) {
    const { subject, name, phase, base } = slot;
    const { outputs, id } = resources.get(name) as Resource;
    const data = bench.disks[phase === "third" ? 2 : 1];
    if (subject.kind === "Image") {
      const hasData =
        subject.service !== "divvycloud" && !["droplet", "backup each time"].includes(subject.needs ?? "");
      const same = ["adopted", "chosen id"].includes(subject.variation);
      const without = !hasData || outputs.status === "queued" || subject.variation === "location";
      add(`${subject.service}/owner`, id, name, without ? undefined : same ? bench.disks[1] : data);
    } else if (subject.kind === "ImageCopy" && subject.others !== undefined) {
      const [other = ""] = subject.others;
      add(other.includes("/") ? other : `${subject.service}/${other}`, outputs.copyId, name, bench.disks[1]);
    } else if (subject.needs === "snapshot each time") add("digitalocean/recipient", base, name);
  }
  for (const place of accounts) {
    const [service = "", account = ""] = place.split("/");
    const given = initial(bench, place);
    const found = (await bench.places.list(service, account)).filter(({ id }) => !given.has(id));
    const wanted = [...expected].filter(([, { place: other }]) => other === place);
    for (const { id, name, status } of found) {
      assert.ok(expected.has(`${place} ${id}`), `${place}: image ${id} (${name}, ${status}) is left over`);
    }
    for (const [key, { name, disk }] of wanted) {
      const image = found.find(({ id }) => key === `${place} ${id}`);
      assert.ok(image, `${place}: the image of ${name} is missing (${key})`);
      if (disk === undefined) continue;
      assert.match(image.status, /^(active|deactivated|available)$/, name);
      assert.equal(image.digest, service === "digitalocean" ? sha256(disk) : md5(disk), `the data of ${name}`);
    }
  }
}

/** What a service has from the beginning, and what the subjects' own ways leave by design. */
function initial(bench: MatrixBench, place: string): Set<string> {
  return bench.given.get(place) ?? new Set();
}

async function inspectParts(bench: MatrixBench, declared: Slot[], resources: Map<string, Resource>): Promise<void> {
  for (const { name, base, subject, phase } of bench.bases) {
    const there = declared.some(slot => slot.name === name);
    const { service, kind, variation } = subject;
    const args = phase === "absent" ? {} : (resources.get(name) as Resource).inputs;
    const image = (await bench.places.list(service, "owner")).find(({ id }) => id === base);
    if (kind === "ImageTag") {
      const tags = (image?.tags ?? []).filter(tag => !tag.startsWith("pulumi-images:"));
      assert.deepEqual(tags, there ? [args.tag] : [], `the tags of ${name}`);
    }
    if (kind === "ImageMember") {
      const state = service === "glance-v1" ? args.canShare : (args.status ?? "pending");
      assert.deepEqual(await bench.places.members(service, base), there ? [`${args.member} ${state}`] : [], name);
    }
    if (kind === "ImageCopy" && variation === "to a store" && there) {
      const { stores } = await (await bench.places.images(service, "owner")).image(base);
      assert.deepEqual(String(stores).split(",").sort(), ["fast", "slow"], name);
    }
  }
}
