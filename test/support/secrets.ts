import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** The forms that a secret may take on its way: as it is, in a url, in JSON, in JSON within JSON, in hex, and anywhere within base64. */
export function formsOf(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map(offset => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(3)]).toString("base64");
    // What stands beside a secret shares the first and the last characters of its part.
    return text.slice(4, 4 * Math.floor((offset + bytes.length) / 3));
  });
  return [
    ...new Set([
      ...[secret, json, JSON.stringify(json).slice(1, -1), encodeURIComponent(secret)],
      ...[bytes.toString("hex"), ...base64, ...base64.map(text => text.replaceAll("+", "-").replaceAll("/", "_"))],
    ]),
  ].filter(form => form.length >= 6);
}

/** All files below a folder that aren't linked from elsewhere. */
export async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder)) {
    const path = join(folder, entry);
    if (entry === "node_modules") continue;
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isDirectory()) found.push(...(await filesIn(path)));
    else if (stats?.isFile()) found.push(path);
  }
  return found;
}

/** The command lines that were seen while something ran. Only Linux tells. */
export class CommandLines {
  readonly seen = new Set<string>();
  #ended = false;
  readonly #watching: Promise<void>;

  constructor() {
    this.#watching = this.#watch();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#ended) {
      const pids = (await readdir("/proc").catch(() => [])).filter(name => /^\d+$/.test(name));
      for (const pid of pids) this.seen.add(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""));
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
}

/** Where a secret is, with what stands before it; undefined where it isn't. */
export function findSecret(texts: ReadonlyMap<string, string>, secrets: Record<string, string>): string | undefined {
  for (const [what, secret] of Object.entries(secrets)) {
    for (const form of formsOf(secret)) {
      for (const [where, text] of texts) {
        const at = text.indexOf(form);
        if (at >= 0) return `${what} in ${where}: …${text.slice(Math.max(0, at - 300), at)}<HERE ${form.slice(0, 3)}…>`;
      }
    }
  }
  return undefined;
}
