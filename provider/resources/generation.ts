/** The generation of each resource that the state knows, as this process has been told by the engine's checks. */
const known = new Map<string, number>();

/**
 * How often a resource has been replaced. The engine checks a resource that is going to be replaced twice: with what the state
 * has, and then once more as if there were nothing. The second time it gets the next generation, so that the new image's mark
 * isn't the old one's, and a repeat of an interrupted replacement comes to the same number again.
 * @param olds the resource's inputs in the state; empty when the state has none
 */
export function generationOf(urn: string, olds: Record<string, unknown>): number {
  if (Object.keys(olds).length > 0) {
    const generation = Number(olds.generation ?? 0);
    known.set(urn, generation);
    return generation;
  }
  const before = known.get(urn);
  return before === undefined ? 0 : before + 1;
}
