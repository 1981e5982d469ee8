"use strict";
// As many resources as NOOP_COUNT says, whose provider does nothing: what is measured is the engine alone. With NOOP_DYNAMIC they are made as
// Pulumi's documentation makes dynamic resources, the provider's code in each one's state; else by a line that loads it, as ours are. NOOP_LIKE is
// a file with a resource's { inputs, outputs }: then each one has as much to say.
const { readFileSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");

const count = Number(process.env.NOOP_COUNT);
const names = Array.from({ length: count }, (_, i) => [`r${i}`, `image-${i}`]);
if (process.env.NOOP_DYNAMIC) {
  const provider = require(process.env.NOOP_PROVIDER);
  for (const [resource, name] of names) new pulumi.dynamic.Resource(provider, resource, { name });
} else {
  const loader = `exports.handler=()=>require(${JSON.stringify(process.env.NOOP_PROVIDER)})`;
  const like = process.env.NOOP_LIKE ? JSON.parse(readFileSync(process.env.NOOP_LIKE, "utf8")) : {};
  const outputs = Object.fromEntries(Object.keys(like.outputs ?? {}).map(output => [output, undefined]));
  const props = { ...outputs, ...like.inputs, __provider: loader };
  for (const [resource, name] of names)
    new pulumi.CustomResource("pulumi-nodejs:dynamic:Resource", resource, { ...props, name });
}
