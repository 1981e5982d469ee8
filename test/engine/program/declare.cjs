"use strict";
// Declares what resources.json in a folder lists, so that a test can change it without compiling anything.
// {"$output": "image.id"} stands for an output of another resource, {"$secret": x} for a secret, {"$call": "getImageOutput", "args": …, "take": "id"} for what
// a function gives, {"$later": value, "of": "image"} for a value that isn't known before the image is there, {"$throw": "…"} for a program that ends there. A "Component" declares its children itself, as a user's component does; {"$root": true}
// as an alias's parent stands for no parent. A "Provider" is an explicit provider, of dynamic resources or of another package. Options name other resources; hooks note their runs in a file.
const { appendFileSync, readFileSync } = require("node:fs");
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
    if ("$call" in value) return images[value.$call](resolve(value.args))[value.take];
    if ("$later" in value) return made.get(value.of).id.apply(() => value.$later);
    if ("$throw" in value) throw new Error(value.$throw);
    if ("$secret" in value) return pulumi.secret(resolve(value.$secret));
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
  }

  function optionsOf({ dependsOn, parent, aliases, transforms, transformations, ...given }, component) {
    const { deletedWith, replaceWith, provider, hooks, ...options } = given;
    return {
      ...options,
      ...(deletedWith ? { deletedWith: made.get(deletedWith) } : {}),
      ...(replaceWith ? { replaceWith: replaceWith.map(other => made.get(other)) } : {}),
      ...(provider ? { provider: made.get(provider) } : {}),
      ...(hooks ? { hooks: Object.fromEntries(hooks.map(when => [when, [hookThatNotes(when)]])) } : {}),
      ...(transforms ? { transforms: transforms.map(adding) } : {}),
      ...(transformations ? { transformations: transformations.map(adding) } : {}),
      ...(dependsOn ? { dependsOn: dependsOn.map(other => made.get(other)) } : {}),
      ...(parent || component ? { parent: parent ? made.get(parent) : component } : {}),
      ...(aliases ? { aliases: aliases.map(aliasOf) } : {}),
    };
  }

  /** A transform that adds properties, and options, to the images. */
  function adding({ $options, ...more }) {
    return ({ type, props, opts }) =>
      type.endsWith(":Image") ? { props: { ...props, ...more }, opts: { ...opts, ...$options } } : { props, opts };
  }

  const noting = new Map();

  /** @param when such as `beforeCreate` */
  function hookThatNotes(when) {
    const note = ({ name }) => appendFileSync(join(folder, "hooks.txt"), `${when} ${name}\n`);
    if (!noting.has(when)) noting.set(when, new pulumi.ResourceHook(when, note));
    return noting.get(when);
  }

  function aliasOf({ parent, ...alias }) {
    if (parent === undefined) return alias;
    return { ...alias, parent: parent.$root ? pulumi.rootStackResource : made.get(parent) };
  }

  class Component extends pulumi.ComponentResource {
    constructor(name, { type = "my:Component", children }, opts) {
      super(type, name, {}, opts);
      made.set(name, this);
      for (const child of children) make(child, this);
      this.registerOutputs({});
    }
  }

  function make({ kind, name, args, options = {}, get, show = [] }, component) {
    const opts = optionsOf(options, component);
    const Kind = images[kind];
    if (kind === "Provider") made.set(name, new pulumi.ProviderResource(args?.package ?? "pulumi-nodejs", name));
    else if (kind === "Component") new Component(name, args, opts);
    else if (get === undefined) made.set(name, new Kind(name, resolve(args), opts));
    else made.set(name, Kind.get(name, resolve(get), resolve(args), opts));
    outputs[name] = Object.fromEntries(show.map(property => [property, made.get(name)[property]]));
  }

  for (const declared of JSON.parse(readFileSync(join(folder, "resources.json"), "utf8"))) make(declared);
  return outputs;
};
