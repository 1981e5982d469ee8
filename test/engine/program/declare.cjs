"use strict";
// Declares what resources.json in a folder lists, so that a test can change it without compiling anything.
// {"$output": "image.id"} stands for an output of another resource, {"$secret": x} for a secret.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const pulumi = require("@pulumi/pulumi");
const images = require("pulumi-images");

/** @returns the stack's outputs */
module.exports = function declare(folder) {
  const made = new Map();
  const outputs = {};

  function resolve(value) {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value;
    if ("$output" in value) {
      const [name, property] = value.$output.split(".");
      return made.get(name)[property];
    }
    if ("$secret" in value) return pulumi.secret(resolve(value.$secret));
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
  }

  for (const { kind, name, args, options = {}, get, show = [] } of JSON.parse(
    readFileSync(join(folder, "resources.json"), "utf8"),
  )) {
    const Kind = images[kind];
    const opts = {
      ...options,
      ...(options.dependsOn ? { dependsOn: options.dependsOn.map(other => made.get(other)) } : {}),
    };
    made.set(
      name,
      get === undefined ? new Kind(name, resolve(args), opts) : Kind.get(name, resolve(get), resolve(args), opts),
    );
    outputs[name] = Object.fromEntries(show.map(property => [property, made.get(name)[property]]));
  }
  return outputs;
};
