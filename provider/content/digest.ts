/** Hash algorithms that publishers use, strongest first. */
export const algorithms = ["sha512", "sha384", "sha256", "sha224", "sha1", "md5"] as const;
export type Algorithm = (typeof algorithms)[number];

const hexDigits: Record<Algorithm, number> = { sha512: 128, sha384: 96, sha256: 64, sha224: 56, sha1: 40, md5: 32 };

export interface Digest {
  algorithm: Algorithm;
  /** Lower-case hex. */
  hex: string;
}

/** Reads `sha256:<hex>` and its like. Answers undefined when it isn't one. */
export function parseDigest(text: string): Digest | undefined {
  const [, name, hex] = /^([a-z0-9]+):([0-9a-f]+)$/i.exec(text.trim()) ?? [];
  const algorithm = algorithms.find(known => known === name?.toLowerCase());
  if (!algorithm || hex?.length !== hexDigits[algorithm]) return undefined;
  return { algorithm, hex: hex.toLowerCase() };
}

/** The algorithm whose digests are as long as this hex text. */
export function algorithmOfHex(hex: string): Algorithm | undefined {
  return /^[0-9a-f]+$/i.test(hex) ? algorithms.find(known => hexDigits[known] === hex.length) : undefined;
}

export function formatDigest({ algorithm, hex }: Digest): string {
  return `${algorithm}:${hex}`;
}

/** What to write instead of a digest that can't be read. */
export function digestProblem(text: string): string {
  const bare = algorithmOfHex(text.trim());
  if (bare) return `"${text}" has no algorithm: write "${bare}:${text.trim().toLowerCase()}"`;
  const [, name = "", hex = ""] = /^([^:]*):(.*)$/.exec(text.trim()) ?? [];
  const algorithm = algorithms.find(known => known === name.toLowerCase().replace("-", ""));
  if (!algorithm)
    return `"${text}" isn't a digest: write the algorithm, a colon and the hex digest, such as "sha256:<64 hex digits>" (known: ${algorithms.join(", ")})`;
  return `a ${algorithm} digest is written "${algorithm}:" and ${hexDigits[algorithm]} hex digits, "${text}" has ${/^[0-9a-f]*$/i.test(hex) ? `${hex.length} digits` : "something else after the colon"}`;
}
