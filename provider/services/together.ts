interface Waiting<T> {
  id: string;
  resolve(found: T | undefined): void;
  reject(error: unknown): void;
}

/**
 * Gathers questions that are asked at the same time, so that they can be answered together: a refresh of N things is not N requests.
 * Nothing is kept: each answer was asked of the service after the question was put.
 */
export class Together<T> {
  readonly #find: (ids: string[]) => Promise<ReadonlyMap<string, T>>;
  #waiting: Waiting<T>[] = [];

  /** @param find answers for all ids at once; one that isn't in its answer isn't there */
  constructor(find: (ids: string[]) => Promise<ReadonlyMap<string, T>>) {
    this.#find = find;
  }

  read(id: string): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ id, resolve, reject });
      // The engine hands over what it reads in parallel within one turn of the event loop or two.
      if (this.#waiting.length === 1) setTimeout(() => void this.#answer(), 2);
    });
  }

  async #answer(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const found = await this.#find([...new Set(waiting.map(({ id }) => id))]);
      for (const { id, resolve } of waiting) resolve(found.get(id));
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
