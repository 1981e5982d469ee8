import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCloud } from "../cloud.ts";
import { exerciseAll } from "./exercise.ts";
import { checkExchange, readExchanges } from "./schemas/check.ts";
import type { Exchange } from "./schemas/exchange.ts";
import { findOperation, operations } from "./schemas/operations.ts";

describe("local cloud: digitalocean, by the schemas", () => {
  let dir: string;
  let exchanges: Exchange[];
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "digitalocean-"));
    const recordTo = join(dir, "exchanges.jsonl");
    const settings = { digitalocean: { taskTime: 20, recordTo } };
    const cloud = await startCloud({ dir, services: ["digitalocean"], settings });
    try {
      await exerciseAll(cloud.services.digitalocean);
    } finally {
      await cloud.stop();
    }
    exchanges = await readExchanges(recordTo);
  });
  after(() => rm(dir, { recursive: true, force: true }));

  it("every operation was asked for, and worked", () => {
    const worked = exchanges
      .filter(it => it.status < 300)
      .map(it => findOperation(operations, it.method, new URL(it.path, "http://host").pathname)?.name);
    assert.equal(operations.length, 30);
    assert.deepEqual(
      operations.map(it => it.name).filter(name => !worked.includes(name)),
      [],
    );
  });

  it("every request and every answer is as described", () => {
    for (const exchange of exchanges) assert.deepEqual(checkExchange(exchange), [], JSON.stringify(exchange));
  });

  it("finds what is wrong", () => {
    const good = exchanges.find(it => it.method === "GET" && it.status === 200 && /^\/v2\/images\/\d+$/.test(it.path));
    assert.ok(good);
    const image = (good.answer as { image: object }).image;
    const parts = (exchange: Exchange) => checkExchange(exchange).map(it => it.part);
    assert.deepEqual(parts({ ...good, answer: { image: { ...image, status: "ready" } } }), ["answer"]);
    assert.deepEqual(parts({ ...good, answer: { image: { ...image, extra: 1 } } }), ["answer"]);
    assert.deepEqual(parts({ ...good, body: {} }), ["request"]);
    assert.deepEqual(parts({ ...good, status: 202 }), ["status"]);
    assert.deepEqual(parts({ ...good, headers: {} }), ["headers", "headers", "headers"]);
    assert.deepEqual(parts({ ...good, path: `${good.path}?page=1` }), ["query"]);
    assert.deepEqual(parts({ ...good, method: "PATCH" }), ["request"]);
  });
});
