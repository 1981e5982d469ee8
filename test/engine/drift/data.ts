import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { noise, sha256 } from "../../support/disk.ts";
import type { FileServer } from "../../support/fileServer.ts";
import type { Declared, Stack } from "../stack.ts";
import type { Case } from "./drifting.ts";

/** What images are made of, and what is in its place later. */
export const disk = noise("drifting", 20_000);
const otherDisk = noise("drifted", 20_000);
const longerDisk = noise("longer", 20_001);
const digests = [disk, otherDisk].map(bytes => `sha256:${sha256(bytes)}`) as [string, string];
const unchanging = "Sat, 21 Nov 2026 00:00:00 GMT";

/** The drifts of what is at a url: seen by whoever runs the program, on every service that takes a url. */
export function urlDrifts(
  image: (name: string, args: Record<string, unknown>) => Declared,
  files: FileServer,
  service: string,
): Record<string, Case> {
  const at = (name: string) => `${files.url}/${service}/${name}`;
  const serve = async (name: string, body: Uint8Array, headers: Record<string, string>) =>
    void files.files.set(`/${service}/${name}`, { body, headers });
  const from = (source: Record<string, unknown>) => (name: string) => [image(name, { source })];
  return {
    "Image the digest declared for the source's url changed": {
      prepare: () => serve("digest.raw", disk, { etag: '"same"' }),
      declared: from({ url: at("digest.raw"), digest: digests[0] }),
      drift: () => serve("digest.raw", otherDisk, { etag: '"same"' }),
      // Nobody can change it but who writes the program.
      changed: from({ url: at("digest.raw"), digest: digests[1] }),
      shows: { content: digests },
      means: ["security"],
    },
    "Image the publisher's checksums file changed": {
      async prepare() {
        await serve("checked.raw", disk, { etag: '"same"' });
        await serve("SHA256SUMS", Buffer.from(`${sha256(disk)} *checked.raw\n`), {});
      },
      declared: from({ url: at("checked.raw"), checksums: at("SHA256SUMS") }),
      async drift() {
        await serve("checked.raw", otherDisk, { etag: '"same"' });
        await serve("SHA256SUMS", Buffer.from(`${sha256(otherDisk)} *checked.raw\n`), {});
      },
      shows: { content: digests },
      means: ["security"],
    },
    "Image the ETag of the source's url changed": {
      prepare: () => serve("etag.raw", disk, { etag: '"v1"' }),
      declared: from({ url: at("etag.raw") }),
      drift: () => serve("etag.raw", otherDisk, { etag: '"v2"' }),
      shows: { content: ['etag:"v1" length 20000', 'etag:"v2" length 20000'] },
      means: ["security"],
    },
    "Image the length of what is at the source's url changed": {
      prepare: () => serve("length.raw", disk, { "last-modified": unchanging }),
      declared: from({ url: at("length.raw") }),
      drift: () => serve("length.raw", longerDisk, { "last-modified": unchanging }),
      shows: { content: [`etag:modified ${unchanging} length 20000`, `etag:modified ${unchanging} length 20001`] },
      means: ["security"],
    },
  };
}

/** The drift of a file beside the program. */
export function fileDrift(
  image: (name: string, args: Record<string, unknown>) => Declared,
  stack: () => Stack,
): Record<string, Case> {
  return {
    "Image the source's file changed": {
      declared: name => [image(name, { source: { file: "file.raw" } })],
      drift: () => writeFile(join(stack().folder, "file.raw"), otherDisk),
      shows: { content: digests },
      means: ["security"],
    },
  };
}

/** The files of a stack whose images drift. */
export async function writeDisks(stack: Stack): Promise<Stack> {
  for (const name of ["disk.raw", "file.raw", "copied.raw"]) await writeFile(join(stack.folder, name), disk);
  return stack;
}

/** Another version of the file that a copy's source is made of. */
export async function changeCopied(stack: Stack): Promise<void> {
  await writeFile(join(stack.folder, "copied.raw"), otherDisk);
}
