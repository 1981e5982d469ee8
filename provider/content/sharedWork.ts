/** Work that several callers ask for at once is done once. It is ended early only when all of them have given up. */
export class SharedWork<T> {
  readonly #running = new Map<
    string,
    { result: Promise<T>; waiting: number; controller: AbortController; listeners: Set<(fraction: number) => void> }
  >();

  async run(
    key: string,
    work: (signal: AbortSignal, progress: (fraction: number) => void) => Promise<T>,
    {
      signal,
      progress,
    }: { signal?: AbortSignal | undefined; progress?: ((fraction: number) => void) | undefined } = {},
  ): Promise<T> {
    signal?.throwIfAborted();
    let job = this.#running.get(key);
    if (!job) {
      const controller = new AbortController();
      const listeners = new Set<(fraction: number) => void>();
      const result = work(controller.signal, fraction => {
        for (const listener of listeners) listener(fraction);
      }).finally(() => {
        if (this.#running.get(key)?.controller === controller) this.#running.delete(key);
      });
      job = { result, waiting: 0, controller, listeners };
      this.#running.set(key, job);
    }
    const current = job;
    current.waiting++;
    if (progress) current.listeners.add(progress);
    let abandon: (() => void) | undefined;
    const abandoned = new Promise<never>((_, reject) => {
      abandon = () => reject(signal?.reason);
      signal?.addEventListener("abort", abandon, { once: true });
    });
    try {
      return await Promise.race([current.result, abandoned]);
    } finally {
      if (abandon) signal?.removeEventListener("abort", abandon);
      if (progress) current.listeners.delete(progress);
      current.waiting--;
      if (current.waiting === 0) {
        current.result.catch(() => {});
        current.controller.abort(signal?.reason);
        if (this.#running.get(key) === current) this.#running.delete(key);
      }
    }
  }
}
