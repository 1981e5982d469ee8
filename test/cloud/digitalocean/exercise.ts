import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { DigitalOceanDescription } from "./index.ts";

/** An answer, parsed. */
export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  body: any;
}

/** Sends one request as an account, and parses its answer. */
export type Send = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** A client for an account: plain HTTP. `path` may be a whole address. */
export function client(url: string, token?: string): Send {
  return async (method, path, body) => {
    const response = await fetch(path.startsWith("http") ? path : `${url}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  };
}

/** A server of files on loopback, by path; what it doesn't have answers 404. */
export async function serveFiles(files: Record<string, Buffer>) {
  const server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    if (!file) {
      response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not Found</h1>");
      return;
    }
    response.writeHead(200, { "content-length": file.length }).end(file);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Asks again until the answer is as wanted. */
export async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  for (const end = Date.now() + 20_000; ; ) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > end) assert.fail(`still ${JSON.stringify(answer)}`);
    await wait(20);
  }
}

/** Every one of the 30 operations at least once, with what goes wrong in the usual ways: for checking requests and answers against schemas. */
export async function exerciseAll(cloud: DigitalOceanDescription): Promise<void> {
  const { sender, recipient } = cloud.accounts;
  const send = client(cloud.url, sender.token);
  const other = client(cloud.url, recipient.token);
  const control = client(cloud.controlUrl);
  const ok = async (answer: Promise<Answer>, status: number) => {
    const { status: got, body } = await answer;
    assert.equal(got, status, JSON.stringify(body));
    return body;
  };
  const finished = (path: string) =>
    until(
      () => ok(send("GET", path), 200),
      ({ action }) => action.status !== "in-progress",
    );
  const files = await serveFiles({ "/disk.raw": Buffer.alloc(1024 * 1024) });
  try {
    await ok(send("GET", "/v2/account"), 200);

    // A custom image, from creation to deletion.
    const wanted = { name: "golden", url: `${files.url}/disk.raw`, region: "nyc3" };
    const details = { distribution: "Debian", description: "a disk", tags: ["golden", "web:1"] };
    const { image } = await ok(send("POST", "/v2/images", { ...wanted, ...details }), 202);
    const path = `/v2/images/${image.id}`;
    await until(
      () => ok(send("GET", path), 200),
      it => it.image.status === "available",
    );
    const bad = await ok(send("POST", "/v2/images", { ...wanted, url: `${files.url}/none` }), 202);
    await until(
      () => ok(send("GET", `/v2/images/${bad.image.id}`), 200),
      it => it.image.status === "deleted",
    );
    await ok(send("GET", "/v2/images/debian-12-x64"), 200);
    await ok(send("GET", "/v2/images"), 200);
    for (const page of [1, 2, 3]) await ok(send("GET", `/v2/images?per_page=3&page=${page}`), 200);
    for (const filter of ["type=application", "type=distribution", "private=true", "tag_name=golden"]) {
      await ok(send("GET", `/v2/images?${filter}`), 200);
    }
    await ok(send("PUT", path, { name: "golden 2", description: "another text", distribution: "Ubuntu" }), 200);

    // Actions of images.
    const transfer = await ok(send("POST", `${path}/actions`, { type: "transfer", region: "ams3" }), 201);
    await finished(`${path}/actions/${transfer.action.id}`);
    const backup = `/v2/images/${sender.backupId}`;
    const convert = await ok(send("POST", `${backup}/actions`, { type: "convert" }), 201);
    await finished(`/v2/actions/${convert.action.id}`);
    await ok(send("GET", `${path}/actions`), 200);
    await ok(send("GET", "/v2/actions?per_page=1"), 200);

    // Droplets and snapshots.
    const droplet = `/v2/droplets/${sender.dropletId}`;
    const snapshot = await ok(send("POST", `${droplet}/actions`, { type: "snapshot", name: "web" }), 201);
    await finished(`${droplet}/actions/${snapshot.action.id}`);
    await ok(send("GET", `${droplet}/actions`), 200);
    await ok(control("POST", `/droplets/${sender.dropletId}/backups`, {}), 201);
    await ok(send("GET", `${droplet}/backups`), 200);
    const { snapshots } = await ok(send("GET", `${droplet}/snapshots?per_page=200`), 200);
    const web = snapshots.find((it: { name: string }) => it.name === "web").id as number;
    const { id: volume } = await ok(control("POST", "/sender/volume_snapshots", { name: "data" }), 201);
    for (const filter of ["", "?resource_type=droplet", "?resource_type=volume"]) {
      await ok(send("GET", `/v2/snapshots${filter}`), 200);
    }
    await ok(send("GET", `/v2/snapshots/${web}`), 200);
    await ok(send("GET", `/v2/snapshots/${volume}`), 200);

    // Tags.
    const resources = [{ resource_id: String(web), resource_type: "image" }];
    await ok(send("POST", "/v2/tags", { name: "release" }), 201);
    await ok(send("POST", "/v2/tags/release/resources", { resources }), 204);
    await ok(send("GET", "/v2/tags/release"), 200);
    await ok(send("GET", "/v2/tags?per_page=2"), 200);
    await ok(send("DELETE", "/v2/tags/release/resources", { resources }), 204);
    await ok(send("DELETE", "/v2/tags/release"), 204);

    // To another account: cancelled, declined, accepted.
    const give = () => send("POST", `/v2/images/${web}/account_transfer`, { recipient_email: recipient.email });
    const first = await ok(give(), 201);
    await ok(send("POST", `/v2/images/${web}/account_transfer/cancel`, first), 204);
    const second = await ok(give(), 201);
    await ok(other("POST", `/v2/images/${web}/account_transfer/decline`, second), 204);
    const third = await ok(send("POST", `/v2/images/${web}/account_transfer`, { recipient_uuid: recipient.uuid }), 201);
    const accept = { ...third, recipient_uuid: recipient.uuid };
    await ok(other("POST", `/v2/images/${web}/account_transfer/accept`, accept), 201);

    await ok(send("GET", "/v2/regions?per_page=4&page=2"), 200);
    await ok(send("DELETE", `/v2/snapshots/${volume}`), 204);
    await ok(other("DELETE", `/v2/images/${web}`), 204);
    await ok(send("DELETE", path), 204);

    // What goes wrong.
    await ok(send("GET", path), 404);
    await ok(send("POST", "/v2/images", { name: "x" }), 422);
    await ok(send("POST", "/v2/images", "{"), 400);
    await ok(send("POST", "/v2/tags", { name: "no spaces" }), 400);
    await ok(client(cloud.url, "wrong")("GET", "/v2/images"), 401);
  } finally {
    await files.close();
  }
}
