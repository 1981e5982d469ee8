/**
 * The engine's dynamic-provider process evaluates this text and calls `handler`. It is all that a state holds of the provider:
 * no code, so that an upgrade is in effect at once, and nothing that a closure could have captured.
 *
 * The package is looked for from the program's folder, then from where Pulumi's SDK lies: pnpm and bun link a dependency of a dependency
 * there, and not into the program's node_modules. States of earlier versions have `require("pulumi-images/provider").image`.
 */
export function loaderOf(provider: "image" | "imageMember" | "imageTag" | "imageCopy"): string {
  return `exports.handler=()=>require(require.resolve("pulumi-images/provider",{paths:[".",require.main.path]})).${provider}`;
}
