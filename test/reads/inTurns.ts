/** Works as the engine does with what it refreshes: so many at a time, the next as soon as one is done. Answers in the order of the items. */
export async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>, parallel = 8): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return results;
}
