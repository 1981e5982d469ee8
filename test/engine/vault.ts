import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/**
 * What Pulumi asks of HashiCorp Vault where it keeps a stack's key: to wrap it once, and to unwrap it at each command. A passphrase, the other
 * way that needs no account, costs each command a million rounds of PBKDF2, a third of its time; the stacks whose secrets are looked into have one.
 * Source: https://developer.hashicorp.com/vault/api-docs/secret/transit
 */
export interface Vault {
  /** For `pulumi stack init --secrets-provider`. */
  provider: string;
  /** What the CLI finds it by. */
  env: NodeJS.ProcessEnv;
}

let started: Promise<Vault> | undefined;

/** This process's own, which ends with it. */
export function vault(): Promise<Vault> {
  started ??= start();
  return started;
}

async function start(): Promise<Vault> {
  const key = randomBytes(32);
  const server = createServer(async (request, response) => {
    const { plaintext, ciphertext } = (await json(request)) as { plaintext?: string; ciphertext?: string };
    let data: object | undefined;
    if (request.url === "/v1/transit/encrypt/tests" && plaintext) data = { ciphertext: wrap(plaintext, key) };
    if (request.url === "/v1/transit/decrypt/tests" && ciphertext) data = { plaintext: unwrap(ciphertext, key) };
    response.writeHead(data === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(data === undefined ? { errors: [] } : { data }));
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    provider: "hashivault://tests",
    env: { VAULT_SERVER_URL: `http://127.0.0.1:${port}`, VAULT_SERVER_TOKEN: "tests" },
  };
}

function wrap(plaintext: string, key: Buffer): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const sealed = Buffer.concat([iv, cipher.update(plaintext, "base64"), cipher.final(), cipher.getAuthTag()]);
  return `vault:v1:${sealed.toString("base64")}`;
}

function unwrap(ciphertext: string, key: Buffer): string {
  const sealed = Buffer.from(ciphertext.slice("vault:v1:".length), "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString("base64");
}
