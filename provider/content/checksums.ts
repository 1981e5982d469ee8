import { ImagesError } from "../errors.ts";
import { type Algorithm, algorithmOfHex, algorithms, type Digest } from "./digest.ts";

interface Entry extends Digest {
  /** undefined: the line is a bare digest. */
  name: string | undefined;
}

/**
 * Reads a publisher's checksums file: `HASH  name` and `HASH *name` (coreutils), `SHA256 (name) = HASH` (BSD), either with a PGP signature
 * around. Other lines are comments.
 */
export function parseChecksums(text: string): Entry[] {
  const entries: Entry[] = [];
  for (const raw of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const line = raw.trim();
    const bsd = /^([A-Za-z0-9-]+)\s*\((.+)\)\s*=\s*([0-9a-fA-F]+)$/.exec(line);
    const plain = /^\\?([0-9a-fA-F]{32,128})(?:\s+\*?(.+))?$/.exec(line);
    if (bsd) {
      const algorithm = algorithms.find(known => known === bsd[1]?.toLowerCase().replace("-", ""));
      const hex = bsd[3] as string;
      if (algorithm && algorithmOfHex(hex) === algorithm)
        entries.push({ algorithm, hex: hex.toLowerCase(), name: bsd[2] });
    } else if (plain) {
      const hex = plain[1] as string;
      const algorithm = algorithmOfHex(hex);
      if (algorithm) entries.push({ algorithm, hex: hex.toLowerCase(), name: plain[2] });
    }
  }
  return entries;
}

/**
 * The digest for one file, the strongest if there are several.
 * @param where what to call the checksums file in an error
 * @throws ImagesError "content": no line for that file, or two that contradict each other
 */
export function findChecksum(text: string, fileName: string, where: string): Digest {
  const entries = parseChecksums(text);
  if (entries.length === 0)
    throw new ImagesError("content", `${where} holds no checksum`, {
      hint: /<html|<!doctype/i.test(text)
        ? "It is a web page: give the address of the checksums file itself"
        : "Expected lines such as `HASH  name` or `SHA256 (name) = HASH`",
    });
  const sole = entries.length === 1 && entries[0]?.name === undefined ? entries : [];
  const matching = [...entries.filter(entry => entry.name !== undefined && baseName(entry.name) === fileName), ...sole];
  const best = strongest(matching);
  if (!best) {
    const names = [...new Set(entries.flatMap(entry => entry.name ?? []))];
    const listed = names.slice(0, 10).join(", ");
    throw new ImagesError("content", `${where} has no line for ${fileName}`, {
      hint: `It has ${listed || "digests without names"}${names.length > 10 ? ` and ${names.length - 10} more` : ""}`,
    });
  }
  if (matching.some(entry => entry.algorithm === best.algorithm && entry.hex !== best.hex))
    throw new ImagesError("content", `${where} has two different ${best.algorithm} digests for ${fileName}`, {
      hint: "Declare the right one as digest",
    });
  return { algorithm: best.algorithm, hex: best.hex };
}

function strongest(entries: readonly Entry[]): Entry | undefined {
  const rank = (algorithm: Algorithm) => algorithms.indexOf(algorithm);
  return [...entries].sort((a, b) => rank(a.algorithm) - rank(b.algorithm))[0];
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
