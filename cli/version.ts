import { createRequire } from "node:module";

/** This package's version, from its own package.json. */
export function version(): string {
  return (createRequire(import.meta.url)("pulumi-images/package.json") as { version: string }).version;
}
