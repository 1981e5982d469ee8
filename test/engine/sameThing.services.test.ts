import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceName } from "../../provider/services/names.ts";
import { type LocalCloud, startCloud } from "../cloud/cloud.ts";
import { connectionTo } from "../cloud/connections.ts";
import { noise } from "../support/disk.ts";
import { type EngineEnd, startEngineEnd } from "../support/engine.ts";
import { until } from "./imageBench.ts";
import { type Made, ProviderProcess, type Values } from "./providerProcess.ts";

const providers = { Image: "image", ImageMember: "imageMember", ImageTag: "imageTag", ImageCopy: "imageCopy" } as const;
type Kind = keyof typeof providers;

/** One run of the engine: a provider process, and the warnings of it. */
interface Run {
  process: ProviderProcess;
  warnings: EngineEnd["warnings"];
  end(): Promise<void>;
}

/**
 * Two resources of one program and the same thing, on the services that the tests on OpenStack don't have. A run makes what is new first, and
 * deletes what the program no longer declares last.
 */
describe("The same thing by two resources, on the other services", () => {
  let dir: string;
  let cloud: LocalCloud;
  let connections: Record<string, unknown>;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-same-thing-"));
    await symlink(join(import.meta.dirname, "..", "..", "node_modules"), join(dir, "node_modules"));
    await writeFile(join(dir, "disk.raw"), noise("same thing", 1000));
    const services: ServiceName[] = ["ecl", "istack", "glance-v1", "digitalocean", "divvycloud"];
    const limits = { taskTime: 1, requestsPerMinute: 1e6, requestsPerHour: 1e6 };
    cloud = await startCloud({ dir, services, settings: { digitalocean: limits } });
    connections = Object.fromEntries(
      services.flatMap(service =>
        (["owner", "consumer"] as const)
          .filter(account => account === "owner" || ["ecl", "digitalocean"].includes(service))
          .map(account => [`${service}-${account}`, connectionTo(cloud.services, service, account)]),
      ),
    );
  });
  after(async () => {
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function begin(): Promise<Run> {
    const engine = await startEngineEnd();
    const config = { "images:connections": JSON.stringify(connections) };
    const process = await ProviderProcess.start(dir, {}, config, "shown", engine.address);
    return {
      process,
      warnings: engine.warnings,
      async end() {
        await process.stop();
        engine.stop();
      },
    };
  }

  const urn = (kind: Kind, name: string) => `urn:pulumi:dev::same::pulumi-nodejs:dynamic/images:${kind}::${name}`;
  const make = (run: Run, kind: Kind, name: string, inputs: Values): Promise<Made> =>
    run.process.make(providers[kind], inputs, urn(kind, name));
  const check = async (run: Run, kind: Kind, name: string, inputs: Values): Promise<string> => {
    const { failures } = await run.process.checkInputs(providers[kind], inputs, { resource: urn(kind, name) });
    return failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n");
  };
  const inRun = async <T>(work: (run: Run) => Promise<T>): Promise<T> => {
    const run = await begin();
    try {
      return await work(run);
    } finally {
      await run.end();
    }
  };
  const isThere = (made: Made) => inRun(async ({ process }) => (await process.read(made.id, made.outputs)).id !== "");

  interface Part {
    service: ServiceName;
    kind: Kind;
    title: string;
    /** @param again as another resource writes the same */
    args: (again?: boolean) => Values;
    /** In an Image's own inputs. */
    listed?: () => Values;
    says: RegExp;
  }
  const project = () => cloud.services.ecl.accounts.consumer.projectId;
  const parts: Part[] = [
    ...(["ecl", "istack"] as const).map(
      (service): Part => ({
        ...{ service, kind: "ImageTag", title: "a tag" },
        args: () => ({ tag: "golden" }),
        listed: () => ({ tags: ["golden"] }),
        says: /the tag "golden" of image/,
      }),
    ),
    {
      ...{ service: "ecl", kind: "ImageMember", title: "a member" },
      args: again => ({
        member: again ? project().toUpperCase() : project(),
        accept: { connection: "ecl-consumer" },
      }),
      listed: () => ({ members: [project()] }),
      says: /the membership of [0-9a-f]{32} in image/,
    },
    {
      ...{ service: "glance-v1", kind: "ImageMember", title: "a member" },
      args: again => ({ member: again ? project().toUpperCase() : project() }),
      says: /the membership of [0-9a-f]{32} in image/,
    },
    {
      ...{ service: "digitalocean", kind: "ImageTag", title: "a tag, whatever its capital letters" },
      args: again => ({ tag: again ? "Golden" : "golden" }),
      listed: () => ({ tags: ["GOLDEN"] }),
      says: /the tag "golden" of image/,
    },
    {
      ...{ service: "digitalocean", kind: "ImageCopy", title: "a copy in a region" },
      args: () => ({ to: { regions: ["ams3"] } }),
      listed: () => ({ regions: ["ams3"] }),
      says: /the copy of image \d+ in the region ams3/,
    },
  ];
  const origins: Partial<Record<ServiceName, () => Values>> = {
    digitalocean: () => ({ dropletId: cloud.services.digitalocean.accounts.sender.dropletId }),
  };
  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
  const common = (service: ServiceName): Values => ({ service, connection: `${service}-owner` });
  const newImage = (run: Run, service: ServiceName, name: string): Promise<Made> =>
    make(run, "Image", name, { ...common(service), name, ...(origins[service]?.() ?? data) });

  for (const [index, part] of parts.entries()) {
    const { service, kind, title, listed, says } = part;

    describe(`${title} on ${service}`, () => {
      let imageId: string;
      let old: Made;
      const args = (again?: boolean): Values => ({ ...common(service), imageId, ...part.args(again) });

      before(async () => {
        await inRun(async run => {
          imageId = (await newImage(run, service, `base ${index}`)).id;
          old = await make(run, kind, "old", args());
        });
      });

      it("of another name: stays when the old resource is deleted, with a warning", async () => {
        await inRun(async run => {
          const made = await make(run, kind, "new", args(true));
          await run.process.delete(old.id, old.outputs);
          assert.equal(await isThere(made), true);
          const [name, text] = await until(() => run.warnings[0]);
          assert.equal(name, "old");
          assert.match(text, says);
          assert.match(text, new RegExp(`stays: the ${kind} new declares it`));
        });
      });

      // A region is nobody's loss: DigitalOcean takes an image out of none.
      if (kind === "ImageCopy")
        it("by two resources of a program: each has it", async () => {
          await inRun(async run => {
            assert.equal(await check(run, kind, "one", args()), "");
            assert.equal(await check(run, kind, "two", args()), "");
          });
        });
      else
        it("by two resources of a program: a failed check that names both", async () => {
          await inRun(async run => {
            assert.equal(await check(run, kind, "one", args()), "");
            assert.equal(await check(run, kind, "one", args()), "", "itself, once more");
            const said = await check(run, kind, "two", args(true));
            assert.match(said, new RegExp(`the ${kind} one and the ${kind} two both declare`));
            assert.match(said, says);
          });
        });

      if (listed !== undefined)
        it("that an Image comes to list: stays", async () => {
          await inRun(async run => {
            const home = { ...common(service), adopt: { id: imageId }, ...listed?.() };
            assert.equal(await check(run, "Image", "home", home), "");
            await run.process.delete(old.id, old.outputs);
            assert.equal(await isThere(old), true);
            const said = await check(run, kind, "one", args());
            if (kind === "ImageCopy") assert.equal(said, "");
            else assert.match(said, /Image home .*Image(Tag|Member) one/);
          });
        });

      // DigitalOcean takes an image out of no region.
      if (kind !== "ImageCopy")
        it("that nobody else declares: goes", async () => {
          await inRun(run => run.process.delete(old.id, old.outputs));
          assert.equal(await isThere(old), false);
        });
    });
  }

  it("an offer on DigitalOcean: isn't cancelled as long as another resource declares it", async () => {
    const { uuid } = cloud.services.digitalocean.accounts.recipient;
    const offer = { ...common("digitalocean"), recipientUuid: uuid };
    const { imageId, old } = await inRun(async run => {
      const { id } = await newImage(run, "digitalocean", "offered");
      return { imageId: id, old: await make(run, "ImageMember", "old", { ...offer, imageId: id }) };
    });
    await inRun(async run => {
      assert.equal(
        await check(run, "ImageMember", "new", { ...offer, imageId, recipientUuid: uuid.toUpperCase() }),
        "",
      );
      await run.process.delete(old.id, old.outputs);
      const [, text] = await until(() => run.warnings[0]);
      assert.match(text, /the membership of .* stays: the ImageMember new declares it/);
      assert.match(
        await check(run, "ImageMember", "other", { ...offer, imageId }),
        /ImageMember new and .*ImageMember other/,
      );
    });
    // Had it been cancelled, it could be offered again.
    await inRun(run =>
      assert.rejects(make(run, "ImageMember", "new", { ...offer, imageId }), {
        message: /can't be offered: .*pending.*aliases/is,
      }),
    );
  });

  for (const service of ["ecl", "istack", "glance-v1", "digitalocean", "divvycloud"] as const) {
    it(`an image on ${service} that two Images adopt: a failed check that names both`, async () => {
      await inRun(async run => {
        const divvy = Object.values(cloud.services.divvycloud.clouds)[0]?.images[0];
        const id = service === "divvycloud" ? divvy : (await newImage(run, service, `twice on ${service}`)).id;
        const adopting = { ...common(service), adopt: { id } };
        const first = service === "divvycloud" ? "one" : `twice on ${service}`;
        if (service === "divvycloud") assert.equal(await check(run, "Image", "one", adopting), "");
        const said = await check(run, "Image", "two", adopting);
        assert.match(said, new RegExp(`^adopt.id: the Image ${first} and the Image two both declare image`));
      });
    });
  }
});
