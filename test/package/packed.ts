import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./shipped.ts";

const run = promisify(execFile);

/** Packs the package, as it is built, into a folder. */
export async function packed(folder: string): Promise<{ tarball: string; files: string[] }> {
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    maxBuffer: 2 ** 26,
  });
  const [made] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  if (made === undefined) throw new Error(`npm pack packed nothing: ${stdout}`);
  return { tarball: join(folder, made.filename), files: made.files.map(({ path }) => path) };
}
