import type { Command } from "commander";
import { type CommonOptions, openSession } from "../session.ts";
import { bytesText, print, printJson } from "../terminal.ts";
import { examples, withConnection } from "./common.ts";

interface DownloadOptions extends CommonOptions {
  overwrite?: boolean;
}

/** `download`: an image's data into a file. */
export function addDownload(program: Command): void {
  withConnection(program.command("download"))
    .description("download an image's data, verified; an interrupted download is continued by the next one")
    .argument("<image>", "its id or its name")
    .argument("<file>", "where to; the data is in <file>.<id>.part until it is whole")
    .option("--overwrite", "replace a file of other data")
    .addHelpText("after", examples("pulumi-images download ubuntu-24.04 ubuntu.qcow2"))
    .action(async (image: string, file: string, options: DownloadOptions) => {
      const session = await openSession(options);
      const { imageByIdOrName } = await import("../../provider/functions/images.ts");
      const { id } = await imageByIdOrName(session.service(), image);
      const args = {
        ...session.where(),
        imageId: id,
        file,
        ...(options.overwrite === true ? { overwrite: true } : {}),
      };
      const downloaded = await withInterrupt(signal =>
        session.functions.downloadImage(args, { signal, progress: progressLine() }),
      );
      if (options.json === true) printJson(downloaded);
      else {
        const { size, received, digest } = downloaded;
        const verified =
          digest === undefined
            ? "the service has no digest to hold it against"
            : `verified by its ${digest.split(":")[0]}`;
        print(
          received === 0
            ? `${file} has the data already (${bytesText(size)}), ${verified}`
            : `${file} has ${bytesText(size)}, of which ${bytesText(received)} came now, ${verified}`,
        );
      }
    });
}

/** Ctrl-C ends the work at its next safe point; a second one ends the process. */
async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  }
}

const showEveryMs = 200;

/** One line that is written over, on a terminal only. */
function progressLine(): (bytes: number, total: number | undefined) => void {
  if (!process.stderr.isTTY) return () => {};
  let shown = 0;
  return (bytes, total) => {
    if (Date.now() - shown < showEveryMs) return;
    shown = Date.now();
    const part = total === undefined ? "" : ` of ${bytesText(total)} (${Math.floor((bytes / total) * 100)} %)`;
    process.stderr.write(`\r\u001b[K${bytesText(bytes)}${part}`);
  };
}
