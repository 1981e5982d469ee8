import { rename } from "node:fs/promises";
import { join } from "node:path";
import { npmCommand, runCommand } from "../command.ts";
import { PULUMI_VERSION } from "./version.ts";

const TIME_LIMIT_MS = 300_000;

/**
 * Gets the official CLI by the vendor's npm package `pulumi`, whose first run downloads it from the vendor's site.
 * Where that site can't be reached this fails within seconds.
 * @param folder an empty folder; afterwards it holds `bin/` with the CLI and its language hosts
 */
export async function downloadOfficialCli(folder: string): Promise<void> {
  const home = join(folder, "download");
  await runCommand(
    ...npmCommand([
      "exec",
      "--yes",
      "--fetch-retries=0",
      `--package=pulumi@${PULUMI_VERSION}`,
      "--",
      "pulumi",
      "version",
    ]),
    {
      cwd: folder,
      timeoutMs: TIME_LIMIT_MS,
      // The package keeps what it downloads under PULUMI_HOME.
      env: { ...process.env, PULUMI_HOME: home, PULUMI_VERSION, PULUMI_SKIP_UPDATE_CHECK: "true" },
    },
  );
  await rename(join(home, "versions", PULUMI_VERSION, "bin"), join(folder, "bin"));
}
