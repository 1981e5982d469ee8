/**
 * Which resource the input `resource` means. It stands twice in each resource's state, so it is the urn without what is the same in every urn
 * of this package: `dev::shop::Image::web` for `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/images:Image::web`.
 */
const scheme = "urn:pulumi:";
const stackType = "::pulumi:pulumi:Stack";
const typePrefix = "pulumi-nodejs:dynamic/images:";

/** @param type a resource type of this package */
export function kindOf(type: string): string {
  return type.slice(typePrefix.length);
}

/**
 * @param parent its urn
 * @param kind of this package, as `kindOf` gives it
 */
export function childName(parent: string, kind: string, name: string): string {
  const types = parent.slice(scheme.length, parent.lastIndexOf("::"));
  // The stack is everybody's parent, so that no urn names its type.
  const above = types.endsWith(stackType) ? `${types.split("::", 2).join("::")}::` : `${types}$`;
  return `${above}${kind}::${name}`;
}

/** The urn of a resource, which states of earlier versions have whole. */
export function urnOf(resource: string): string {
  const [stack, project, types, ...name] = resource.split("::");
  if (resource.startsWith(scheme) || types === undefined) return resource;
  const own = types.lastIndexOf("$") + 1;
  return [scheme + stack, project, types.slice(0, own) + typePrefix + types.slice(own), ...name].join("::");
}
