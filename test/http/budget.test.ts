import assert from "node:assert/strict";
import { budgetFor, createBudget } from "../../provider/http/budget.ts";
import { answer, clientOf, serve, type TestServer } from "./server.ts";

const never = () => undefined;

describe("a rate limit's budget", () => {
  let server: TestServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  it("is never exceeded in any stretch of its length, as the service sees it", async () => {
    const arrivals: number[] = [];
    server = await serve((_request, response) => {
      arrivals.push(performance.now());
      setTimeout(() => answer(response, 200, {}), Math.random() * 30);
    });
    const client = clientOf(server.url, { budget: createBudget([{ requests: 10, seconds: 0.5 }]) });
    await Promise.all(Array.from({ length: 35 }, () => client.send({ method: "GET", path: "/" })));
    assert.equal(arrivals.length, 35);
    for (let index = 10; index < arrivals.length; index++) {
      const stretch = (arrivals[index] as number) - (arrivals[index - 10] as number);
      assert.ok(stretch >= 500, `eleven requests within ${stretch} ms`);
    }
  });

  it("keeps the order of those who wait", async () => {
    const budget = createBudget([{ requests: 1, seconds: 0.02 }]);
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3, 4].map(async number => {
        await budget.take(never);
        order.push(number);
        budget.done(200);
      }),
    );
    assert.deepEqual(order, [1, 2, 3, 4]);
  });

  it("waits until the service's reset when others have used it up, and after a 429 as long as it says", async () => {
    for (const [status, headers] of [
      [200, () => ({ "ratelimit-remaining": "0", "ratelimit-reset": String(Math.ceil(Date.now() / 1000) + 1) })],
      [429, () => ({ "retry-after": "1" })],
    ] as const) {
      const budget = createBudget([{ requests: 100, seconds: 60 }]);
      await budget.take(never);
      const said = headers();
      budget.done(status, said);
      const until = "ratelimit-reset" in said ? Number(said["ratelimit-reset"]) * 1000 : Date.now() + 1000;
      await budget.take(never);
      assert.ok(Date.now() >= until - 20, "it didn't wait");
    }
  });

  it("that frees nothing before a request's deadline is an error that says when it does", async () => {
    server = await serve((_request, response) => answer(response, 200, {}));
    const client = clientOf(server.url, { budget: createBudget([{ requests: 1, seconds: 3600 }]) });
    await client.send({ method: "GET", path: "/" });
    await assert.rejects(client.send({ method: "GET", path: "/" }), {
      code: "timeout",
      message: /rate limit leaves no request before \d{4}-/,
    });
    assert.equal(server.seen.length, 1);
  });

  it("isn't spent by who gives up waiting", async () => {
    const budget = createBudget([{ requests: 1, seconds: 0.2 }]);
    await budget.take(never);
    const controller = new AbortController();
    const waiting = budget.take(never, controller.signal);
    const next = budget.take(never);
    controller.abort();
    await assert.rejects(waiting, { name: "AbortError" });
    budget.done(200);
    await next;
    budget.done(200);
  });

  it("is one for a token in the whole process", () => {
    const windows = [{ requests: 1, seconds: 1 }];
    assert.equal(budgetFor("token-a", windows), budgetFor("token-a", windows));
    assert.notEqual(budgetFor("token-a", windows), budgetFor("token-b", windows));
  });
});
