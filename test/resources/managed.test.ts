import assert from "node:assert/strict";
import { unknownValue } from "../../provider/fields/field.ts";
import { changesOf, inputsFrom, outputsFrom, refreshedOutputs } from "../../provider/resources/managed.ts";
import { tableOf } from "../../provider/runtime.ts";
import type { Facts, Values } from "../../provider/services/service.ts";

const table = tableOf("Image", "openstack");
const declared: Values = {
  ...{
    service: "openstack",
    resource: "dev::shop::Image::web",
    name: "web",
    diskFormat: "raw",
    containerFormat: "bare",
  },
  ...{ minDisk: 1, tags: ["b", "a"], properties: { os: "linux" }, content: "sha256:1" },
};
/** What Glance says of such an image: tags in its own order, properties and fields that the program doesn't declare. */
const facts: Facts = {
  ...{ id: "1", name: "web", status: "active", diskFormat: "raw", containerFormat: "bare", minDisk: 1, minRam: 0 },
  ...{ tags: ["a", "b"], properties: { os: "linux", built: "here" }, content: "sha256:1", checksum: "c" },
  ...{ owner: "p", updatedAt: "2026-01-01T00:00:00Z" },
};
const state = outputsFrom(table, declared, facts);

/** A change of the program, and what comes of it. */
const changes: {
  title: string;
  program?: Values;
  updates?: string[];
  replaces?: string[];
  wanted?: Values;
  removed?: string[];
}[] = [
  { title: "nothing" },
  { title: "tags in another order", program: { tags: ["a", "b"] } },
  { title: "another tag", program: { tags: ["a", "c"] }, updates: ["tags"], wanted: { tags: ["a", "c"] } },
  { title: "another name", program: { name: "shop" }, updates: ["name"], wanted: { name: "shop" } },
  { title: "a field that is no longer declared", program: { minDisk: undefined }, updates: ["minDisk"] },
  {
    title: "a field that is declared with the value that it has",
    program: { minRam: 0 },
    updates: ["minRam"],
  },
  { title: "a field with another value", program: { minRam: 5 }, updates: ["minRam"], wanted: { minRam: 5 } },
  {
    title: "another value of a property",
    program: { properties: { os: "bsd" } },
    updates: ["properties"],
    wanted: { properties: { os: "bsd" } },
  },
  {
    title: "another property in the place of one",
    program: { properties: { arch: "arm" } },
    updates: ["properties"],
    wanted: { properties: { arch: "arm" } },
    removed: ["os"],
  },
  { title: "other data", program: { content: "sha256:2" }, replaces: ["content"] },
  { title: "another format", program: { diskFormat: "qcow2" }, replaces: ["diskFormat"] },
  { title: "a name that isn't known yet", program: { name: unknownValue }, updates: ["name"] },
  { title: "data that isn't known yet", program: { content: unknownValue }, replaces: ["content"] },
];

describe("A diff of", () => {
  for (const { title, program = {}, updates = [], replaces = [], wanted = {}, removed = [] } of changes) {
    it(title, () => {
      const found = changesOf(table, state, { ...declared, ...program });
      assert.deepEqual({ updates: found.updates, replaces: found.replaces }, { updates, replaces });
      assert.deepEqual(found.change, { wanted, removedProperties: removed, removedStores: [] });
      assert.equal(found.any, Object.keys(wanted).length + removed.length > 0);
    });
  }
});

describe("A state", () => {
  it("has the inputs as they are declared, what the service reports, and which of that is managed", () => {
    assert.deepEqual(state.tags, ["b", "a"]);
    assert.deepEqual(state.properties, { os: "linux" });
    assert.deepEqual([state.minRam, state.owner, state.status], [0, "p", "active"]);
    assert.deepEqual(state.managed, ["containerFormat", "diskFormat", "minDisk", "name", "properties", "tags"]);
    assert.equal(state.id, undefined);
  });

  /** A change by somebody else, and what a refresh makes of it: the outputs and inputs that differ then. */
  const looks: { title: string; now: Partial<Facts>; outputs?: Values; inputs?: Values }[] = [
    { title: "nothing", now: {} },
    { title: "the tags' order", now: { tags: ["b", "a"] } },
    { title: "the time of the last change", now: { updatedAt: "2026-02-02T00:00:00Z" } },
    { title: "a field that isn't declared", now: { minRam: 7 } },
    { title: "a property that isn't declared", now: { properties: { os: "linux", built: "there" } } },
    { title: "a declared field", now: { name: "db" }, outputs: { name: "db" }, inputs: { name: "db" } },
    { title: "a declared tag", now: { tags: ["a"] }, outputs: { tags: ["a"] }, inputs: { tags: ["a"] } },
    {
      title: "a declared property",
      now: { properties: { os: "bsd" } },
      outputs: { properties: { os: "bsd" } },
      inputs: { properties: { os: "bsd" } },
    },
    {
      title: "a declared property that is gone",
      now: { properties: {} },
      outputs: { properties: {} },
      inputs: { properties: {} },
    },
    { title: "the status, which tells of trouble", now: { status: "deactivated" }, outputs: { status: "deactivated" } },
    { title: "the owner, which tells of trouble", now: { owner: "q" }, outputs: { owner: "q" } },
    {
      title: "the data",
      now: { content: "sha256:9" },
      outputs: { content: "sha256:9" },
      inputs: { content: "sha256:9" },
    },
  ];
  const differing = (one: Values, other: Values) =>
    Object.fromEntries(
      Object.entries(other).filter(([name, value]) => JSON.stringify(one[name]) !== JSON.stringify(value)),
    );

  for (const { title, now, outputs = {}, inputs = {} } of looks) {
    const shown = [...Object.keys(outputs), ...Object.keys(inputs)].length > 0 ? "shows" : "doesn't show";
    it(`after a refresh ${shown} that somebody changed ${title}`, () => {
      const seen = { ...facts, ...now } as Facts;
      assert.deepEqual(differing(state, refreshedOutputs(table, state, seen)), outputs);
      assert.deepEqual(differing(declared, inputsFrom(table, state, seen)), inputs);
    });
  }
});
