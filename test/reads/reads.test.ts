import assert from "node:assert/strict";
import { Reads, type ReadsOf } from "../../provider/services/reads.ts";

interface Thing {
  id: string;
  version: number;
}

/** A service in memory that notes what it is asked: "one a", "some a b", "page 1". */
class Shelf {
  readonly things = new Map<string, number>();
  readonly asked: string[] = [];
  /** Only by its own id can one be read. */
  readonly unlisted = new Set<string>();
  /** Runs while a request is answered: after the answer is made, before it arrives. */
  meanwhile: () => void = () => {};

  constructor(count: number) {
    for (let n = 0; n < count; n++) this.things.set(`t${n}`, 1);
  }

  of(more: Partial<ReadsOf<Thing>> = {}): ReadsOf<Thing> {
    return {
      idOf: ({ id }) => id,
      one: async id => this.#answer(`one ${id}`, () => this.#thing(id)),
      listings: () => [{ name: "all", pages: () => this.#pages() }],
      atRest: () => true,
      maxAgeMs: 60_000,
      ...more,
    };
  }

  some = {
    most: 2,
    read: async (ids: readonly string[]) =>
      this.#answer(`some ${ids.join(" ")}`, () => ids.map(id => this.#thing(id)).filter(thing => thing !== undefined)),
  };

  #thing(id: string): Thing | undefined {
    const version = this.things.get(id);
    return version === undefined ? undefined : { id, version };
  }

  async *#pages(): AsyncGenerator<Thing[]> {
    const ids = [...this.things.keys()].filter(id => !this.unlisted.has(id));
    for (let page = 0; page * 10 < ids.length; page++)
      yield await this.#answer(`page ${page + 1}`, () =>
        ids.slice(page * 10, page * 10 + 10).map(id => this.#thing(id) as Thing),
      );
  }

  async #answer<T>(what: string, make: () => T): Promise<T> {
    this.asked.push(what);
    const answer = make();
    await Promise.resolve();
    this.meanwhile();
    return answer;
  }
}

describe("Reads of many things", () => {
  it("that are few ask for each by its id", async () => {
    const shelf = new Shelf(30);
    const reads = new Reads(shelf.of());
    assert.deepEqual(await reads.read("t1"), { id: "t1", version: 1 });
    assert.deepEqual(shelf.asked, ["one t1"]);
  });

  it("that come together are one listing, and as few of its pages as it takes", async () => {
    const shelf = new Shelf(30);
    const reads = new Reads(shelf.of());
    await Promise.all(["t0", "t1", "t2", "t3", "t4"].map(id => reads.read(id)));
    assert.deepEqual(shelf.asked, ["page 1"]);
  });

  it("that can be asked for by their ids are asked for so many at a time", async () => {
    const shelf = new Shelf(30);
    const reads = new Reads(shelf.of({ some: shelf.some }));
    await Promise.all(["t0", "t1", "t2"].map(id => reads.read(id)));
    assert.deepEqual(shelf.asked, ["some t0 t1", "some t2"]);
  });

  it("believe only its own request that a thing is gone", async () => {
    const shelf = new Shelf(5);
    shelf.unlisted.add("t4");
    const reads = new Reads(shelf.of());
    const found = await Promise.all(["t0", "t1", "t2", "t3", "t4", "t9"].map(id => reads.read(id)));
    assert.deepEqual(
      found.map(thing => thing?.id),
      ["t0", "t1", "t2", "t3", "t4", undefined],
    );
    assert.deepEqual(shelf.asked.slice(1), ["one t4", "one t9"]);
  });

  it("ask anew each time, unless an earlier answer will do", async () => {
    const shelf = new Shelf(1);
    const reads = new Reads(shelf.of());
    for (const earlier of [true, true, false]) await reads.read("t0", earlier);
    assert.deepEqual(shelf.asked, ["one t0", "one t0"]);
  });

  it("don't take an earlier answer of a thing that the service is at work on, nor one that is too old", async () => {
    for (const more of [{ atRest: () => false }, { maxAgeMs: -1 }]) {
      const shelf = new Shelf(1);
      const reads = new Reads(shelf.of(more));
      for (let times = 0; times < 2; times++) await reads.read("t0", true);
      assert.deepEqual(shelf.asked, ["one t0", "one t0"], JSON.stringify(Object.keys(more)));
    }
  });

  it("forget what a write changed", async () => {
    const shelf = new Shelf(1);
    const reads = new Reads(shelf.of());
    await reads.read("t0", true);
    reads.wrote("t0");
    shelf.things.set("t0", 2);
    assert.equal((await reads.read("t0", true))?.version, 2);
  });

  it("don't keep an answer that was made before a write and arrives after it", async () => {
    const shelf = new Shelf(1);
    const reads = new Reads(shelf.of());
    shelf.meanwhile = () => {
      shelf.meanwhile = () => {};
      reads.wrote("t0");
      shelf.things.set("t0", 2);
    };
    await reads.read("t0", true);
    assert.equal((await reads.read("t0", true))?.version, 2);
  });

  it("of which one fails tell only those who wait for it", async () => {
    const shelf = new Shelf(2);
    const reads = new Reads({
      ...shelf.of(),
      one: async id => {
        if (id === "t0") throw new Error("t0 is out of order");
        return { id, version: 1 };
      },
    });
    const [first, second] = await Promise.allSettled([reads.read("t0"), reads.read("t1")]);
    assert.deepEqual([first.status, second.status], ["rejected", "fulfilled"]);
  });
});
