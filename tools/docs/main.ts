/** `npm run docs`: writes what of the documentation is worked out from the code. */
import { writeFile } from "node:fs/promises";
import { generatedFiles } from "./files.ts";

for (const [file, text] of await generatedFiles()) await writeFile(file, text);
