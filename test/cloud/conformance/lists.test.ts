import assert from "node:assert/strict";
import { onEachCloud } from "../../openstack/clouds.ts";
import { ImageClient, RAW } from "./client.ts";

onEachCloud("Listings", cloud => {
  let owner: ImageClient;
  let consumer: ImageClient;
  let admin: ImageClient;
  /** Ids by name, made in this order. */
  const ids: Record<string, string> = {};
  /** Sets this suite's images apart from all others. */
  const mark = `list-${process.pid}-${Math.round(performance.now())}`;

  before(async () => {
    owner = new ImageClient(cloud());
    consumer = new ImageClient(cloud(), "consumer");
    admin = new ImageClient(cloud(), "admin");
    const images: [string, object][] = [
      ["l1", {}],
      ["l2", { tags: ["lt", "n1"] }],
      ["l3", { os_hidden: true }],
      ["l4", { visibility: "private", os_distro: "u", "a:b": "c" }],
      ["l5", { visibility: "community", min_disk: 5, protected: true }],
      ["l6", { tags: ["lt", "n1"], min_ram: 64 }],
      ["l7, comma", { tags: ["x y"] }],
    ];
    for (const [name, more] of images) ids[name] = await owner.create({ name, ...RAW, mark, ...more });
    ids.foreign = await consumer.create({ name: "foreign", mark, visibility: "community" });
    ids.deleted = await owner.create({ name: "deleted", mark });
    await owner.send("DELETE", `/v2/images/${ids.deleted}`);
    await owner.upload(ids.l6 ?? "", Buffer.alloc(100));
  });
  after(() => owner.patch(ids.l5 ?? "", { op: "replace", path: "/protected", value: false }));

  const list = async (query: string, who = owner) => {
    const answer = await who.send("GET", `/v2/images?mark=${mark}${query}`);
    const names: string[] | undefined = answer.json?.images?.map(({ name }: { name: string }) => name);
    return { ...answer, names };
  };
  const names = async (query: string, who = owner) => (await list(query, who)).names;
  const VISIBLE = ["l7, comma", "l6", "l5", "l4", "l2", "l1"];

  it("show one's own images, newest first, without hidden and deleted ones", async () => {
    const { status, json, names: shown } = await list("");
    assert.equal(status, 200);
    assert.deepEqual(shown, VISIBLE);
    assert.deepEqual(Object.keys(json).sort(), ["first", "images", "schema"]);
    assert.equal(json.first, `/v2/images?mark=${mark}`);
    assert.equal(json.schema, "/v2/schemas/images");
  });

  it("show less than a read by id: neither hidden ones nor other projects' community images", async () => {
    assert.equal((await owner.get(ids.l3 ?? "")).status, 200);
    assert.deepEqual(await names(`&id=in:${ids.l3}`), []);
    assert.deepEqual(await names(`&id=in:${ids.l3}&os_hidden=true`), ["l3"]);
    assert.equal((await owner.get(ids.foreign ?? "")).status, 200);
    assert.deepEqual(await names(`&id=in:${ids.foreign}`), []);
    assert.deepEqual(await names(`&id=in:${ids.foreign}&visibility=all`), ["foreign"]);
    assert.deepEqual(await names("&visibility=community"), ["foreign", "l5"]);
    assert.deepEqual(await names("", consumer), ["foreign"]);
    assert.deepEqual(await names("&visibility=all", admin), ["foreign", ...VISIBLE]);
  });

  describe("are filtered", () => {
    const filters: [query: string | (() => string), expected: string[]][] = [
      ["name=l1", ["l1"]],
      ["name=in:l1,l2", ["l2", "l1"]],
      ['name=in:"l7, comma",l1', ["l7, comma", "l1"]],
      ["name=eq:l1", ["l1"]],
      [() => `id=${ids.l1}`, ["l1"]],
      [() => `id=in:${ids.l1},${ids.l2},garbage,${ids.deleted}`, ["l2", "l1"]],
      ["id=eq:x", []],
      ["id=garbage", []],
      ["status=active", ["l6"]],
      ["status=in:active,queued", VISIBLE],
      ["status=bogus", []],
      ["tag=lt", ["l6", "l2"]],
      ["tag=lt&tag=n1", ["l6", "l2"]],
      ["tag=lt&tag=nope", []],
      ["tag=x%20y", ["l7, comma"]],
      ["owner=x", []],
      [() => `owner=${cloud().accounts.owner.projectId}`, VISIBLE],
      ["visibility=private", ["l4"]],
      ["os_hidden=true", ["l3"]],
      ["protected=true", ["l5"]],
      ["size_min=1", ["l6"]],
      ["size_max=100", ["l6"]],
      ["size=100", ["l6"]],
      ["min_ram=64", ["l6"]],
      ["checksum=6d0bb00954ceb7fbee436bb55a8397a9", ["l6"]],
      ["os_hash_value=x", []],
      ["os_distro=u", ["l4"]],
      ["a:b=c", ["l4"]],
      ["bogus=x", []],
      ["container_format=bare&disk_format=in:raw,qcow2", VISIBLE],
      ["disk_format=qcow2", []],
      ["created_at=gt:2020-01-01T00:00:00Z", VISIBLE],
      ["created_at=lt:2020-01-01T00:00:00Z", []],
      ["created_at=2020-01-01T00:00:00Z", []],
      ["updated_at=gte:2020-01-01T00:00:00%2B01:00", VISIBLE],
    ];
    for (const [query, expected] of filters) {
      const title = typeof query === "string" ? query : query.toString().replace(/^\(\) => /, "");
      it(`by ${title}`, async () => {
        const text = typeof query === "string" ? query : query();
        assert.deepEqual(await names(`&${text}`), expected);
      });
    }

    for (const query of [
      "visibility=bogus",
      "os_hidden=bogus",
      "protected=True",
      "member_status=bogus",
      "name=like:l",
      "created_at=bogus",
      "size_min=x",
      "limit=-1",
      "limit=abc",
      "sort=bogus:asc",
      "sort=name:bogus",
      "sort_key=min_disk",
      "sort=name:asc&sort_key=name",
    ]) {
      it(`not by ${query}, which is answered with 400`, async () => {
        assert.equal((await list(`&${query}`)).status, 400);
      });
    }
  });

  it("are sorted", async () => {
    const byName = ["l1", "l2", "l4", "l5", "l6", "l7, comma"];
    assert.deepEqual(await names("&sort=name:asc"), byName);
    assert.deepEqual(await names("&sort=name:asc,created_at:desc"), byName);
    assert.deepEqual(await names("&sort=name"), byName.toReversed());
    assert.deepEqual(await names("&sort_key=name&sort_dir=asc"), byName);
    assert.deepEqual(await names("&sort_key=status&sort_key=name&sort_dir=asc&sort_dir=desc"), [
      "l6",
      ...byName.toReversed().filter(name => name !== "l6"),
    ]);
    assert.equal((await names("&sort_key=size&sort_dir=asc"))?.[0], "l6");
  });

  describe("come in pages", () => {
    it("that lead to each other", async () => {
      const first = await list("&limit=4");
      assert.deepEqual(first.names, VISIBLE.slice(0, 4));
      assert.equal(first.json.next, `/v2/images?mark=${mark}&limit=4&marker=${ids.l4}`);
      const second = await owner.send("GET", first.json.next);
      assert.deepEqual(
        second.json.images.map(({ name }: { name: string }) => name),
        ["l2", "l1"],
      );
      assert.equal(second.json.next, undefined);
      assert.equal(second.json.first, `/v2/images?mark=${mark}&limit=4`);
    });

    it("with one more that is empty when the last one was full", async () => {
      const { json } = await list("&limit=6");
      assert.notEqual(json.next, undefined);
      assert.deepEqual((await owner.send("GET", json.next)).json.images, []);
    });

    it("whose link loses the first of two tags", async () => {
      const { json } = await list("&tag=lt&tag=n1&limit=1");
      const next = new URL(json.next, "http://x").searchParams;
      assert.deepEqual(next.getAll("tag"), ["n1"]);
      assert.equal(next.get("marker"), ids.l6);
    });

    it("from a marker that is there: 400 for a deleted one and for garbage", async () => {
      assert.deepEqual(await names(`&marker=${ids.l4}`), ["l2", "l1"]);
      assert.deepEqual(await names(`&marker=${ids.l3}`), ["l2", "l1"]);
      for (const marker of [ids.deleted, "garbage"]) assert.equal((await list(`&marker=${marker}`)).status, 400);
    });

    it("of 25 when nobody says how many, and of none for limit=0", async () => {
      for (let index = 0; index < 26; index++) await owner.create({ name: `many${index}`, tags: [`${mark}-many`] });
      const count = async (query: string) => {
        const { json } = await owner.send("GET", `/v2/images?tag=${mark}-many${query}`);
        return json.images.length;
      };
      assert.equal(await count(""), 25);
      assert.equal(await count("&limit=5000"), 26);
      assert.equal(await count("&limit=0"), 0);
    });
  });

  it("take a hundred ids at once", async () => {
    const absent = Array.from(
      { length: 98 },
      (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    );
    const { json } = await owner.send("GET", `/v2/images?limit=100&id=in:${[ids.l1, ...absent, ids.l2].join()}`);
    assert.deepEqual(
      json.images.map(({ name }: { name: string }) => name),
      ["l2", "l1"],
    );
  });
});
