/**
 * Makes the sdk's declarations, as the compiler wrote them into dist/, such that each TypeScript since 3.8 reads them, which is the one that
 * comes with Pulumi's SDK: paths end in .js, and there is no word that came later. Programs in CommonJS get a copy: a compiler
 * before 5.8 takes what is declared in this package, whose type is "module", for nothing that `require` may load.
 */
import { cp, glob, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const dist = join(import.meta.dirname, "..", "..", "dist");

for await (const file of glob("sdk/**/*.d.ts", { cwd: dist })) {
  const text = await readFile(join(dist, file), "utf8");
  await writeFile(join(dist, file), text.replaceAll(/^(?:import|export) [^;]* from "[^"]+";$/gm, older));
}
await rm(join(dist, "commonjs"), { recursive: true, force: true });
await cp(join(dist, "sdk"), join(dist, "commonjs"), { recursive: true, filter: path => !/\.c?js$/.test(path) });
await writeFile(join(dist, "commonjs", "package.json"), '{ "type": "commonjs" }\n');

/** One import or export as TypeScript 3.8 writes it. */
function older(statement: string): string {
  return statement
    .replace(/\.ts";$/, '.js";')
    .replace(/^export type \*/, "export *")
    .replaceAll(/([{,] )type /g, "$1");
}
