import assert from "node:assert/strict";
import { sha256 } from "../../support/disk.ts";
import { nameOf } from "../stack.ts";
import { checkpointOf, type MatrixBench } from "./bench.ts";
import { md5 } from "./places.ts";
import type { Slot } from "./subjects.ts";

/** What a state has of a resource. */
interface Resource {
  id: string;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
}

/** Statuses of an image that has its data. */
const ready = /^(queued, finished|active|deactivated|available|custom available|snapshot available)$/;

/** The accounts whose images are counted. */
const accounts = ["openstack/owner", "openstack/consumer", "ecl/owner", "ecl/consumer", "istack/owner"].concat([
  ...["glance-v1/owner", "glance-v1/consumer", "digitalocean/owner", "digitalocean/recipient", "divvycloud/owner"],
]);

/**
 * Compares all services and the stack's state with what is declared: exactly one image for each, with the right data, and nothing else
 * anywhere; no member, tag or copy too many or too few. A finished image that nobody has may be there if a warning of the repeat named it: a run
 * that is killed between a create's last request and the record leaves such a one.
 * @param resources what the state has, by name; by default what the stack's checkpoint says
 * @param warnings of the repeat
 * @returns how many such images there are; they are left where they are
 */
export async function inspect(
  bench: MatrixBench,
  resources?: Map<string, Resource>,
  warnings: readonly string[] = [],
): Promise<number> {
  const known = resources ?? (await noted(bench));
  const declared = bench.slots.filter(({ phase }) => phase !== "absent");
  assert.deepEqual([...known.keys()].sort(), declared.map(({ name }) => name).sort(), "resources in the state");
  const orphans = await inspectImages(bench, declared, known, warnings);
  await inspectParts(bench, declared, known);
  assert.deepEqual(await bench.places.deadMarks(), [], "owner tags of images that aren't there any more");
  return orphans;
}

/**
 * The resources in the checkpoint, in which nothing may be unfinished.
 * @param refreshed whether the engine's notes of creates whose end it doesn't know have been cleared
 */
export async function noted(bench: MatrixBench, refreshed = false): Promise<Map<string, Resource>> {
  const checkpoint = await checkpointOf(bench.stack);
  const pending = (checkpoint.pending_operations ?? []).filter(({ type }) => type !== "creating" || refreshed);
  assert.deepEqual(
    pending.map(({ type, resource }) => `${type} ${resource.urn}`),
    [],
    "pending operations",
  );
  const resources = new Map<string, Resource>();
  for (const resource of checkpoint.resources ?? []) {
    if (!resource.type.includes("dynamic/images:")) continue;
    const name = nameOf(resource.urn);
    assert.ok(!resources.has(name) && !resource.delete, `${name} is in the state twice, or to be deleted`);
    assert.deepEqual(resource.initErrors ?? [], [], `${name} is unfinished`);
    resources.set(name, resource);
  }
  return resources;
}

async function inspectImages(
  bench: MatrixBench,
  declared: Slot[],
  resources: Map<string, Resource>,
  warnings: readonly string[],
): Promise<number> {
  let orphans = 0;
  const expected = new Map<string, { name: string; disk?: Buffer; place: string }>();
  const add = (place: string, id: unknown, name: string, disk?: Buffer) =>
    expected.set(`${place} ${String(id)}`, { name, place, ...(disk === undefined ? {} : { disk }) });
  for (const { base, name, subject } of bench.bases) add(`${subject.service}/owner`, base, `base of ${name}`);
  for (const slot of declared) {
    const { subject, name, phase } = slot;
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
    }
  }
  for (const place of accounts) {
    const [service = "", account = ""] = place.split("/");
    if (!bench.cloud.has(service)) continue;
    const given = bench.given.get(place) ?? new Set();
    const found = (await bench.places.list(service, account)).filter(({ id }) => !given.has(id));
    const wanted = [...expected].filter(([, { place: other }]) => other === place);
    for (const { id, name, status } of found) {
      if (expected.has(`${place} ${id}`)) continue;
      const isNamed = warnings.some(warning => warning.includes(id));
      assert.ok(isNamed, `${place}: image ${id} (${name}, ${status}) is an orphan, and no warning names it`);
      assert.match(status, ready, `${place}: image ${id} (${name}) is an orphan, and unfinished`);
      bench.leave(place, id);
      orphans++;
    }
    for (const [key, { name, disk }] of wanted) {
      const image = found.find(({ id }) => key === `${place} ${id}`);
      assert.ok(image, `${place}: the image of ${name} is missing (${key})`);
      if (disk === undefined) continue;
      assert.match(image.status, ready, name);
      assert.equal(image.digest, service === "digitalocean" ? sha256(disk) : md5(disk), `the data of ${name}`);
    }
  }
  return orphans;
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
