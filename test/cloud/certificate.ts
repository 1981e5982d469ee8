import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

/** What an https server needs, and the file that a client has to trust. */
export interface Certificate {
  key: string;
  cert: string;
  caFile: string;
}

const YEAR = 365 * 24 * 3600 * 1000;

/**
 * The certificate of the local cloud, for 127.0.0.1 and localhost, signed by an authority of its own. Both are made once and kept in `dir`
 * (ca.pem, server.pem, server.key); the authority's key is thrown away, so nothing else can ever be signed with it.
 */
export async function certificate(dir: string): Promise<Certificate> {
  const caFile = join(dir, "ca.pem");
  const certFile = join(dir, "server.pem");
  const keyFile = join(dir, "server.key");
  try {
    return { key: await readFile(keyFile, "utf8"), cert: await readFile(certFile, "utf8"), caFile };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const now = Date.now();
  const common = { keyType: "ec", algorithm: "sha256", notBeforeDate: new Date(now - 3600_000) } as const;
  const authority = await generate([{ name: "commonName", value: "Authority of the local image cloud" }], {
    ...common,
    notAfterDate: new Date(now + YEAR),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    ...common,
    notAfterDate: new Date(now + YEAR),
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 7, ip: "127.0.0.1" },
          { type: 2, value: "localhost" },
        ],
      },
    ],
  });
  await writeFile(caFile, authority.cert);
  await writeFile(certFile, server.cert);
  await writeFile(keyFile, server.private, { mode: 0o600 });
  return { key: server.private, cert: server.cert, caFile };
}
