import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { executableName, runCommand } from "../command.ts";
import type { Report } from "../progress.ts";
import { PULUMI_VERSION } from "./version.ts";

const GO_MODULE = join(import.meta.dirname, "build");

/**
 * Builds the CLI from its Go module with the machine's Go. Takes minutes, or seconds when Go's own cache is warm.
 * @param folder an empty folder; afterwards it holds `bin/pulumi`, without a language host
 */
export async function buildCli(folder: string, report: Report): Promise<void> {
  await mkdir(join(folder, "bin"));
  let packages = 0;
  // Without the version in the binary, Pulumi's Automation API refuses the CLI.
  const version = `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${PULUMI_VERSION}`;
  await runCommand(
    "go",
    [
      "build",
      "-v",
      "-trimpath",
      "-ldflags",
      `-s -w -X ${version}`,
      "-o",
      join(folder, "bin", executableName("pulumi")),
      "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    ],
    {
      cwd: GO_MODULE,
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOWORK: "off" },
      onLine: line => {
        report(line.startsWith("go: ") ? line.slice(4) : `${++packages} packages, ${line}`);
      },
    },
  );
}
