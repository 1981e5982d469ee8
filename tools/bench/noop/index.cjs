"use strict";
// As many resources as NOOP_COUNT says, whose provider does nothing: what is measured is the engine alone.
const pulumi = require("@pulumi/pulumi");

const loader = `exports.handler=()=>require(${JSON.stringify(process.env.NOOP_PROVIDER)})`;
for (let i = 0; i < Number(process.env.NOOP_COUNT); i++)
  new pulumi.CustomResource("pulumi-nodejs:dynamic:Resource", `r${i}`, { __provider: loader, name: `image-${i}` });
