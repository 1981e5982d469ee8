import { readFile, rename, writeFile } from "node:fs/promises";

/** How long changes are gathered before they are written, in ms; at least so many times as long as the last write took. */
const GATHER = 50;
const REST = 9;

/** A JSON document on disk, held in memory: change `data`, then say `changed()`. */
export interface Store<T> {
  /** The document itself, to be changed in place. */
  readonly data: T;
  /** Has the document saved soon: many changes in a row make one write. */
  changed(): void;
  /** Answers when everything that was changed is on disk. */
  flush(): Promise<void>;
}

/**
 * Opens a JSON document, or starts one with `initial` when there is no file.
 * Each save goes to a temporary file which is then renamed, so a crash leaves the old document or the new one, never half of one.
 * @param file where it lies; the folder must exist
 * @throws SyntaxError when the file isn't JSON
 */
export async function openStore<T>(file: string, initial: () => T): Promise<Store<T>> {
  const known = await load<T>(file);
  const data = known ?? initial();
  // What is made up anew has to be the same the next time.
  let dirty = known === undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  /** In ms: a large document isn't to be written all the time. */
  let writeTime = 0;

  async function write() {
    if (!dirty) return;
    dirty = false;
    const start = performance.now();
    await writeFile(`${file}.tmp`, JSON.stringify(data));
    await rename(`${file}.tmp`, file);
    writeTime = performance.now() - start;
  }
  function flush() {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  }
  return {
    data,
    changed() {
      dirty = true;
      timer ??= setTimeout(flush, Math.max(GATHER, REST * writeTime));
    },
    flush,
  };
}

async function load<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
