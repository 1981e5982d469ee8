import assert from "node:assert/strict";
import { takeIgnored } from "../../../provider/resources/ignored.ts";
import { tableOf } from "../../../provider/runtime.ts";

type Values = Record<string, unknown>;

/** What a check gives that makes a copy's metadata anew. @param ignored paths that the sdk sends along */
function kept(ignored: readonly string[], olds: Values, made: Values): Values {
  const inputs: Values = { service: "openstack", ...(ignored.length > 0 ? { ignored } : {}) };
  const { keptIn } = takeIgnored(tableOf("ImageCopy", "openstack"), inputs, olds);
  assert.deepEqual(inputs, { service: "openstack" }, "nothing of it reaches the state");
  return keptIn(made).metadata as Values;
}

describe("Ignored changes of what a check makes", () => {
  const olds = {
    metadata: { name: "old", minDisk: 1, tags: ["a", "b"], properties: { "hw:x": "1", plain: "1", gone: "1" } },
  };
  const made = () => ({
    metadata: { name: "new", tags: ["c", "d"], properties: { "hw:x": "2", plain: "2", added: "2" } },
  });
  const { metadata: now } = made();
  const properties = now.properties;

  const cases: Record<string, Values> = {
    metadata: olds.metadata,
    "metadata.name": { ...now, name: "old" },
    "metadata.minDisk": { ...now, minDisk: 1 },
    'metadata.properties["hw:x"]': { ...now, properties: { ...properties, "hw:x": "1" } },
    'metadata["properties"].plain': { ...now, properties: { ...properties, plain: "1" } },
    "metadata.properties.added": { ...now, properties: { "hw:x": "2", plain: "2" } },
    "metadata.properties.gone": { ...now, properties: { ...properties, gone: "1" } },
    "metadata.properties": { ...now, properties: olds.metadata.properties },
    "metadata.properties[*]": { ...now, properties: olds.metadata.properties },
    "metadata.tags[1]": { ...now, tags: ["c", "b"] },
    "metadata.tags[2]": now,
    "metadata.name.nothing": now,
    "to.name": now,
    "metadata.": olds.metadata,
  };
  for (const [path, expected] of Object.entries(cases))
    it(`${path}`, () => assert.deepEqual(kept([path], olds, made()), expected));

  it("leave what is made as it was given", () => {
    const given = made();
    kept(["metadata.name", "metadata.tags[0]"], olds, given);
    assert.deepEqual(given, made());
  });

  it("have no effect on a new resource", () => {
    assert.deepEqual(kept(["metadata"], {}, made()), now);
  });

  it("come back from the engine as if they were declared, but only as they were", () => {
    const table = tableOf("Image", "openstack");
    for (const [content, has] of [
      ["sha256:old", true],
      ["sha256:other", false],
    ] as const) {
      const inputs: Values = { service: "openstack", content };
      assert.equal(takeIgnored(table, inputs, { content: "sha256:old" }).has("content"), has);
      assert.equal(inputs.content, has ? undefined : content);
    }
  });
});
