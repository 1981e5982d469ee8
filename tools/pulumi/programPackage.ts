import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** A package that a program's package.json names, with the version that is installed ("" where none is). */
export interface Dependency {
  name: string;
  version: string;
}

/** What the package.json in a folder depends on, for `pulumi about`. */
export function declaredDependencies(folder: string): Dependency[] {
  const manifest = readManifest(join(folder, "package.json"));
  const names = Object.keys({ ...manifest?.dependencies, ...manifest?.devDependencies });
  return names.map(name => ({
    name,
    version: readManifest(join(folder, "node_modules", name, "package.json"))?.version ?? "",
  }));
}

/**
 * The path of one of the SDK's runners, found as the program itself finds the SDK.
 * @throws Error when the program's folder has no @pulumi/pulumi
 */
export function sdkRunner(folder: string, runner: "run" | "run-policy-pack"): string {
  try {
    return createRequire(join(folder, "package.json")).resolve(`@pulumi/pulumi/cmd/${runner}`);
  } catch {
    throw new Error(`The package @pulumi/pulumi is not installed for the program in ${folder}: run npm install there.`);
  }
}

interface Manifest {
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

function readManifest(file: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}
