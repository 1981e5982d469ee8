/**
 * The engine's dynamic-provider process evaluates this text and calls `handler`. It is all that a state holds of the provider:
 * no code, so that an upgrade is in effect at once, and nothing that a closure could have captured.
 */
export function loaderOf(provider: "image" | "imageMember" | "imageTag" | "imageCopy"): string {
  return `exports.handler=()=>require("pulumi-images/provider").${provider}`;
}
