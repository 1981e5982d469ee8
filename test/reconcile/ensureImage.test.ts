import assert from "node:assert/strict";
import { ImagesError, UnfinishedError } from "../../provider/errors.ts";
import { SpentImage } from "../../provider/reconcile/adapter.ts";
import { canResume, ensureImage, resumeImage } from "../../provider/reconcile/ensureImage.ts";
import { type FakeImage, FakeService, orderOf, tagOf } from "./fakeAdapter.ts";

/** What a create finds, what it does, and what is there afterwards. `web` is the resource that creates. */
interface Row {
  title: string;
  found: FakeImage[];
  done: string[];
  ends: Record<string, string>;
  /** Images that a warning names. */
  named?: string[];
}

const own = { owner: tagOf("web"), unfinished: true } as const;

const rows: Row[] = [
  {
    title: "nothing: it makes an image",
    found: [],
    done: ["begin new-0", "fill new-0", "finish new-0"],
    ends: { "new-0": "web finished new" },
  },
  {
    title: "its own unfinished image without data: it resumes that",
    found: [{ id: "old", ...own, phase: "empty" }],
    done: ["fill old", "finish old"],
    ends: { old: "web finished new" },
  },
  {
    title: "its own unfinished image with the right data: it only finishes that",
    found: [{ id: "old", ...own, phase: "ready", data: "new" }],
    done: ["finish old"],
    ends: { old: "web finished new" },
  },
  {
    title: "its own unfinished image with other data: it removes that, and makes a new one",
    found: [{ id: "old", ...own, phase: "ready", data: "other" }],
    done: ["delete old", "begin new-0", "fill new-0", "finish new-0"],
    ends: { "new-0": "web finished new" },
  },
  {
    title: "its own unfinished image that failed: it removes that, and makes a new one",
    found: [{ id: "old", ...own, phase: "failed" }],
    done: ["delete old", "begin new-0", "fill new-0", "finish new-0"],
    ends: { "new-0": "web finished new" },
  },
  {
    title: "its own unfinished image that can't become what is ordered: it removes that, and makes a new one",
    found: [{ id: "old", ...own, phase: "empty", fixed: true }],
    done: ["delete old", "begin new-0", "fill new-0", "finish new-0"],
    ends: { "new-0": "web finished new" },
  },
  {
    title: "two unfinished images of its own: it resumes the one that got further, and removes the other",
    found: [
      { id: "empty", ...own, phase: "empty" },
      { id: "full", ...own, phase: "ready", data: "new" },
    ],
    done: ["delete empty", "finish full"],
    ends: { full: "web finished new" },
  },
  {
    title: "a finished image with its owner tag and the same data: it leaves that alone, names it, and makes its own",
    found: [{ id: "kept", owner: tagOf("web"), phase: "ready", data: "new" }],
    done: ["begin new-1", "fill new-1", "finish new-1"],
    ends: { kept: "web finished new", "new-1": "web finished new" },
    named: ["kept"],
  },
  {
    title: "a finished and an unfinished one: it leaves the first alone, and resumes the second",
    found: [
      { id: "kept", owner: tagOf("web"), phase: "ready", data: "other" },
      { id: "old", ...own, phase: "empty" },
    ],
    done: ["fill old", "finish old"],
    ends: { kept: "web finished other", old: "web finished new" },
    named: ["kept"],
  },
  {
    title:
      "a finished image that a later replacement of it made, before its state was lost: it leaves that alone, and names it",
    found: [{ id: "later", owner: tagOf("web, replaced"), phase: "ready", data: "new" }],
    done: ["begin new-1", "fill new-1", "finish new-1"],
    ends: { later: "web, replaced finished new", "new-1": "web finished new" },
    named: ["later"],
  },
  {
    title: "an unfinished image of a later replacement: it doesn't touch that",
    found: [{ id: "later", owner: tagOf("web, replaced"), unfinished: true, phase: "empty" }],
    done: ["begin new-1", "fill new-1", "finish new-1"],
    ends: { later: "web, replaced unfinished empty", "new-1": "web finished new" },
  },
  {
    title: "unfinished images of another resource and of nobody: it touches neither",
    found: [
      { id: "another's", owner: tagOf("db"), unfinished: true, phase: "empty" },
      { id: "nobody's", phase: "empty" },
    ],
    done: ["begin new-2", "fill new-2", "finish new-2"],
    ends: { "another's": "db unfinished empty", "nobody's": "nobody finished empty", "new-2": "web finished new" },
  },
];

describe("A create, over a fake adapter, finds", () => {
  for (const { title, found, done, ends, named = [] } of rows) {
    it(title, async () => {
      const service = new FakeService(found);
      await ensureImage(service.adapter, orderOf(), service.job);
      assert.deepEqual(service.done, done);
      assert.deepEqual(service.ends(), ends);
      assert.equal(service.warnings.length, named.length, service.warnings.join("\n"));
      for (const id of named)
        assert.ok(
          service.warnings.some(text => text.includes(`image ${id} `)),
          id,
        );
    });
  }
});

describe("A create, over a fake adapter, that fails", () => {
  const fails = (error: unknown) => () => {
    throw error;
  };

  it("for good removes what it began", async () => {
    const service = new FakeService();
    service.instead.fill = fails(new ImagesError("content", "the digest differs"));
    await assert.rejects(ensureImage(service.adapter, orderOf(), service.job), { message: /the digest differs/ });
    assert.deepEqual(service.ends(), {});
  });

  for (const code of ["timeout", "interrupted", "unavailable"] as const) {
    it(`with ${code} once the data is in leaves its image for the next run, and the state gets it`, async () => {
      const service = new FakeService();
      service.instead.finish = fails(new ImagesError(code, "no end in sight"));
      await assert.rejects(ensureImage(service.adapter, orderOf(), service.job), (error: unknown) => {
        assert.ok(error instanceof UnfinishedError);
        return true;
      });
      assert.deepEqual(service.ends(), { "new-0": "web unfinished new" });
    });
  }

  it("doesn't remove an image that somebody else has taken meanwhile", async () => {
    const service = new FakeService();
    service.instead.fill = image => {
      service.images.set(String(image?.id), { ...(image as FakeImage), owner: tagOf("db"), unfinished: false });
      throw new ImagesError("content", "the digest differs");
    };
    await assert.rejects(ensureImage(service.adapter, orderOf(), service.job), { message: /the digest differs/ });
    assert.deepEqual(service.ends(), { "new-0": "db finished empty" });
  });

  it("with a spent image makes a new one, as often as the service allows", async () => {
    const service = new FakeService();
    let times = 0;
    service.instead.fill = () => {
      times += 1;
      if (times === 1) throw new SpentImage(new Error("the connection broke"));
    };
    await ensureImage(service.adapter, orderOf(), service.job);
    assert.deepEqual(Object.values(service.ends()), ["web finished new"]);
    service.instead.fill = fails(new SpentImage(new Error("the connection broke")));
    const again = ensureImage(service.adapter, orderOf("more", tagOf("db")), service.job);
    await assert.rejects(again, { message: /2 uploads broke off; the last: the connection broke/ });
  });

  it("to finish first, as another run did, leaves that image alone, names it, and makes its own", async () => {
    const service = new FakeService();
    let times = 0;
    service.instead.fill = image => {
      times += 1;
      if (times > 1) return;
      service.images.set(String(image?.id), {
        ...(image as FakeImage),
        unfinished: false,
        phase: "ready",
        data: "new",
      });
      throw new ImagesError("conflict", "another upload is under way", { status: 409 });
    };
    await ensureImage(service.adapter, orderOf(), service.job);
    assert.deepEqual(service.ends(), { "new-0": "web finished new", "new-1": "web finished new" });
    assert.match(service.warnings.join(), /image new-0 .*was finished by another run/);
  });

  it("to begin, since it was told to stop, makes nothing", async () => {
    const service = new FakeService();
    const job = { ...service.job, signal: AbortSignal.abort() };
    await assert.rejects(ensureImage(service.adapter, orderOf(), job), { message: /told to stop/ });
    assert.deepEqual(service.done, []);
  });
});

describe("An image that the state has unfinished", () => {
  const resume = (service: FakeService) => resumeImage(service.adapter, "old", orderOf(), service.job);

  it("is resumed", async () => {
    const service = new FakeService([{ id: "old", ...own, phase: "empty" }]);
    await resume(service);
    assert.deepEqual(service.ends(), { old: "web finished new" });
  });

  it("is removed where it is no use, and the error says to run again", async () => {
    const service = new FakeService([{ id: "old", ...own, phase: "failed" }]);
    assert.equal(await canResume(service.adapter, "old", service.job), false);
    await assert.rejects(resume(service), { message: /couldn't be finished, and was removed/ });
    assert.deepEqual(service.ends(), {});
  });

  it("is left alone where it carries another resource's owner tag", async () => {
    const service = new FakeService([{ id: "old", owner: tagOf("db"), adopted: true, phase: "ready", data: "new" }]);
    await assert.rejects(resume(service), { message: /carries the owner tag of another resource/ });
    assert.deepEqual(service.done, []);
  });

  it("is missed where it is gone", async () => {
    const service = new FakeService();
    assert.equal(await canResume(service.adapter, "old", service.job), false);
    await assert.rejects(
      resume(service),
      (error: unknown) => error instanceof ImagesError && error.code === "not-found",
    );
  });
});
