import { readdir, readFile } from "node:fs/promises";

/** The most memory, in MiB, that the provider process of a project's folder has held resident. Source: proc(5), VmHWM. */
export async function peakOf(folder: string): Promise<number> {
  let peak = 0;
  for (const pid of (await readdir("/proc")).filter(name => /^\d+$/.test(name))) {
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
      if (!command.includes("dynamic-provider")) continue;
      if (!(await readFile(`/proc/${pid}/environ`, "utf8")).includes(folder)) continue;
      const status = await readFile(`/proc/${pid}/status`, "utf8");
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
    } catch {
      // It ended meanwhile.
    }
  }
  return peak;
}
