import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { cached } from "../cache.ts";
import { executableName, runCommand } from "../command.ts";

/** The version that build/go.mod names. */
const version = "1.7.12";

/**
 * The path of actionlint, which checks workflows of GitHub Actions: built with Go the first time, then kept in the cache folder.
 * @throws Error when there is no Go, or its module proxy can't be reached
 */
export async function actionlint(): Promise<string> {
  const folder = await cached(`actionlint-${version}-${process.platform}-${process.arch}`, build);
  return join(folder, "bin", executableName("actionlint"));
}

async function build(folder: string): Promise<void> {
  await mkdir(join(folder, "bin"));
  const output = join(folder, "bin", executableName("actionlint"));
  await runCommand(
    "go",
    ["build", "-trimpath", "-ldflags", "-s -w", "-o", output, "github.com/rhysd/actionlint/cmd/actionlint"],
    {
      cwd: join(import.meta.dirname, "build"),
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" },
    },
  );
}
