type Write<Rest extends unknown[], R> = (id: string, ...rest: Rest) => Promise<R>;

/** Makes writes to an image tell of themselves, before and after: what was read of the image meanwhile may be from before. */
export function tellingWrites(wrote: (id: string) => void) {
  return <Rest extends unknown[], R>(write: Write<Rest, R>): Write<Rest, R> =>
    async (id, ...rest) => {
      wrote(id);
      try {
        return await write(id, ...rest);
      } finally {
        wrote(id);
      }
    };
}
