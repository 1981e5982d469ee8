/**
 * `node tools/mocha/with.ts NAME=value … -- <arguments of mocha>`: mocha with variables set, as npm scripts can say it in the shell of every
 * system.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const at = process.argv.indexOf("--");
const variables = process.argv.slice(2, at).map(text => /^(\w+)=(.*)$/s.exec(text)?.slice(1) as [string, string]);
const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const child = spawn(process.execPath, [mocha, ...process.argv.slice(at + 1)], {
  env: { ...process.env, ...Object.fromEntries(variables) },
  stdio: "inherit",
});
// A terminal's Ctrl-C reaches mocha by itself.
process.on("SIGINT", () => {});
child.once("close", code => {
  process.exitCode = code ?? 1;
});
