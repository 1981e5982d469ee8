import { readdir, readFile } from "node:fs/promises";

/** The most memory, in MiB, that the provider process of a project's folder has held resident. Source: proc(5), VmHWM. */
export async function peakOf(folder: string): Promise<number> {
  const peaks = await ofProviders(folder, async process =>
    Number(/VmHWM:\s+(\d+) kB/.exec(await readFile(`${process}/status`, "utf8"))?.[1] ?? 0),
  );
  return Math.max(0, ...peaks) / 1024;
}

/** Bytes that the provider process of a project's folder has had written to disks. Source: proc(5), write_bytes. */
export async function writtenBy(folder: string): Promise<number> {
  const written = await ofProviders(folder, async process =>
    Number(/^write_bytes: (\d+)/m.exec(await readFile(`${process}/io`, "utf8"))?.[1]),
  );
  if (written.length === 0) throw new Error(`there is no provider process of ${folder}`);
  return written.reduce((sum, bytes) => sum + bytes, 0);
}

async function ofProviders<T>(folder: string, look: (process: string) => Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (const pid of (await readdir("/proc")).filter(name => /^\d+$/.test(name))) {
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
      if (!command.includes("dynamic-provider")) continue;
      if (!(await readFile(`/proc/${pid}/environ`, "utf8")).includes(folder)) continue;
      found.push(await look(`/proc/${pid}`));
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}
