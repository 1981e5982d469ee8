/**
 * Makes the command `pulumi-images` runnable, in this checkout too: npm links it when it installs, and there was no build to link to then.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { npmCommand } from "../command.ts";

const root = join(import.meta.dirname, "..", "..");
chmodSync(join(root, "dist", "cli", "main.js"), 0o755);
if (!existsSync(join(root, "node_modules", ".bin", "pulumi-images"))) {
  const [command, args] = npmCommand(["rebuild", "pulumi-images", "--ignore-scripts", "--silent"]);
  execFileSync(command, args, { cwd: root, stdio: "ignore" });
}
