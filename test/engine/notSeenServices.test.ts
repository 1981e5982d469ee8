import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kind } from "../../provider/fields/field.ts";
import { type LocalCloud, type ServiceName, startCloud } from "../cloud/cloud.ts";
import { connectionTo } from "../cloud/connections.ts";
import { noise } from "../support/disk.ts";
import { type FileServer, startFileServer } from "../support/fileServer.ts";
import { type Made, ProviderProcess, type Values } from "./providerProcess.ts";

/** A resource that another account can't see. */
interface Subject {
  kind: Kind;
  /** Its arguments besides service and connection. @param imageId an image of this account's */
  args: (imageId: string) => Values;
  /** DigitalOcean takes no image out of a region, and can't be asked about an offer. */
  stays?: true;
}

const providers = { Image: "image", ImageMember: "imageMember", ImageTag: "imageTag", ImageCopy: "imageCopy" } as const;

const proxyPage = {
  path: /^\/v[12]\//,
  status: 404,
  headers: { "content-type": "text/html" },
  body: "<html><body><h1>Not Found</h1></body></html>",
  count: Number.POSITIVE_INFINITY,
};

describe("What isn't seen isn't gone on the other services", () => {
  const someProject = "5".repeat(32);
  let dir: string;
  let cloud: LocalCloud;
  let files: FileServer;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-not-seen-"));
    files = await startFileServer();
    files.files.set("/disk.raw", { body: noise("disk", 10_000), headers: { etag: '"one"' } });
    const services: ServiceName[] = ["ecl", "istack", "glance-v1", "digitalocean", "divvycloud"];
    const digitalocean = { taskTime: 1, requestsPerMinute: 1e6, requestsPerHour: 1e6 };
    cloud = await startCloud({ dir: join(dir, "cloud"), services, settings: { digitalocean } });
    await symlink(join(import.meta.dirname, "..", "..", "node_modules"), join(dir, "node_modules"));
    await writeFile(join(dir, "disk.raw"), noise("disk", 10_000));
  });
  after(async () => {
    await files.stop();
    await cloud.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
  const image: Subject = { kind: "Image", args: () => ({ name: "golden", ...data }) };
  const member: Subject = { kind: "ImageMember", args: imageId => ({ imageId, member: someProject }) };
  const tag: Subject = { kind: "ImageTag", args: imageId => ({ imageId, tag: "gold" }) };
  const copy: Subject = { kind: "ImageCopy", args: imageId => ({ imageId, to: { connection: "main", name: "copy" } }) };
  const subjects: Record<Exclude<ServiceName, "openstack">, Subject[]> = {
    ecl: [
      image,
      member,
      tag,
      copy,
      {
        kind: "ImageCopy",
        args: imageId => ({
          imageId,
          to: { tenant: cloud.services.ecl.accounts.overseas.projectId, connection: "overseas" },
        }),
      },
    ],
    istack: [image, tag, copy],
    "glance-v1": [image, member, copy],
    digitalocean: [
      {
        kind: "Image",
        args: () => ({ name: "golden", regions: ["nyc3"], source: { url: `${files.url}/disk.raw` } }),
      },
      {
        kind: "ImageMember",
        args: imageId => ({ imageId, recipientUuid: cloud.services.digitalocean.accounts.recipient.uuid }),
        stays: true,
      },
      tag,
      { kind: "ImageCopy", args: imageId => ({ imageId, to: { regions: ["ams3"] } }), stays: true },
    ],
    divvycloud: [{ kind: "Image", args: () => ({ adopt: { id: cloud.services.divvycloud.clouds.AWS?.images[0] } }) }],
  };

  /** @param other whom the connection of the other account is of */
  function start(
    service: ServiceName,
    account: "owner" | "consumer" | "admin",
    other: "owner" | "consumer" = "consumer",
  ): Promise<ProviderProcess> {
    const connections: Values = {
      main: connectionTo(cloud.services, service, account),
      other: connectionTo(cloud.services, service, service === "istack" ? "owner" : other),
    };
    if (service === "ecl") {
      // The account of a copy in another tenant is the one that its own connection is of.
      const overseas = { ...connectionTo(cloud.services, "ecl"), region: "jp2" };
      const { username, password, projectId } = cloud.services.ecl.accounts.overseas;
      connections.overseas = account === "owner" ? { ...overseas, username, password, projectId } : connections.main;
    }
    const env = { PULUMI_IMAGES_RETRY_PAUSE_MS: "1" };
    return ProviderProcess.start(dir, env, { "images:connections": JSON.stringify(connections) }, "kept");
  }

  /** An image of the owner's for a part to be of. */
  async function base(mine: ProviderProcess, service: ServiceName, name: string): Promise<Made> {
    const common = { service, connection: "main" };
    if (service === "digitalocean") {
      const { dropletId } = cloud.services.digitalocean.accounts.sender;
      return await mine.make("image", { ...common, name, dropletId }, `urn:pulumi:dev::test::type::${name}`);
    }
    const args = { ...common, name, ...data, ...(service === "ecl" ? { visibility: "private" } : {}) };
    return await mine.make("image", args, `urn:pulumi:dev::test::type::${name}`);
  }

  for (const [service, all] of Object.entries(subjects) as [ServiceName, Subject[]][]) {
    describe(service, () => {
      let mine: ProviderProcess;
      let theirs: ProviderProcess;
      before(async () => {
        [mine, theirs] = await Promise.all([start(service, "owner"), start(service, "consumer")]);
      });
      after(() => Promise.all([mine.stop(), theirs.stop()]));
      afterEach(() => cloud.faults.clear());

      all.forEach(({ kind, args, stays }, index) => {
        describe(`${kind} ${index}`, () => {
          let made: Made;
          before(async () => {
            const imageId = kind === "Image" ? "" : (await base(mine, service, `of-${service}-${index}`)).id;
            const inputs = { service, connection: "main", ...args(imageId) };
            made = await mine.make(providers[kind], inputs, `urn:pulumi:dev::test::type::${service}-${index}`);
          });

          it("as another account it isn't seen, which is an error that names both", async () => {
            const says =
              /is of (project|account|organization) \S+, as the state remembers, but the connection (main|overseas) is/;
            await assert.rejects(theirs.read(made.id, made.outputs), says);
            await assert.rejects(theirs.delete(made.id, made.outputs), says);
          });

          if (kind === "Image") {
            it("as another account it can't be changed, for the same reason", async () => {
              const inputs = { service, connection: "main", ...args("") };
              const resource = String(made.outputs.resource);
              const { inputs: checked } = await theirs.checkInputs("image", { ...inputs, name: "other" }, { resource });
              const says = /is of (project|account|organization) \S+, as the state remembers/;
              await assert.rejects(theirs.update(made.id, made.outputs, checked), says);
            });
          }

          it("behind a proxy that answers 404 to everything nothing is seen, which is an error", async () => {
            const behind = await start(service, "owner");
            cloud.faults.add(proxyPage);
            try {
              const says = /404 Not Found doesn't come from the service itself|shows no sign of it/;
              await assert.rejects(behind.read(made.id, made.outputs), says);
              await assert.rejects(behind.delete(made.id, made.outputs), says);
            } finally {
              await behind.stop();
            }
          });

          it("it is there as it was, without a change, and is deleted by its own account", async () => {
            const seen = await mine.read(made.id, made.outputs);
            assert.equal(seen.id, made.id);
            assert.deepEqual(seen.outputs, made.outputs);
            await mine.delete(made.id, made.outputs);
            if (stays) return;
            const again = await start(service, "owner");
            try {
              assert.equal((await again.read(made.id, made.outputs)).id, "", "what is gone counts as gone");
              await again.delete(made.id, made.outputs);
            } finally {
              await again.stop();
            }
          });
        });
      });
    });
  }

  describe("the account", () => {
    it("that an offer was made to is the only one whose not having the image means anything", async () => {
      const { sender, recipient } = cloud.services.digitalocean.accounts;
      const [mine, wrong] = await Promise.all([
        start("digitalocean", "owner"),
        start("digitalocean", "owner", "owner"),
      ]);
      try {
        const { id: imageId } = await base(mine, "digitalocean", "given");
        const inputs = {
          ...{ service: "digitalocean", connection: "main", imageId, recipientUuid: recipient.uuid },
          accept: { connection: "other" },
        };
        const made = await mine.make("imageMember", inputs, "urn:pulumi:dev::test::type::given-member");
        assert.equal(made.outputs.status, "accepted");
        const says = new RegExp(
          `offered to account ${recipient.uuid}, but accept.connection is account ${sender.uuid}`,
        );
        await assert.rejects(wrong.read(made.id, made.outputs), says);
        assert.equal((await mine.read(made.id, made.outputs)).id, made.id);
      } finally {
        await Promise.all([mine.stop(), wrong.stop()]);
      }
    });

    it("isn't compared where a token may not ask for it, nor with a state of an earlier version", async () => {
      const [mine, theirs] = await Promise.all([start("digitalocean", "owner"), start("digitalocean", "consumer")]);
      try {
        const made = await base(mine, "digitalocean", "unscoped");
        const { account: remembered, ...before } = made.outputs;
        assert.equal(remembered, cloud.services.digitalocean.accounts.sender.uuid);
        assert.equal((await theirs.read(made.id, before)).id, "");
        cloud.settings.digitalocean.accountScope = false;
        const unscoped = await start("digitalocean", "consumer");
        assert.equal((await unscoped.read(made.id, made.outputs)).id, "");
        await unscoped.stop();
      } finally {
        cloud.settings.digitalocean.accountScope = true;
        await Promise.all([mine.stop(), theirs.stop()]);
      }
    });

    /** What a resource remembers of its account. */
    const remembered = ({ outputs: { owner, account } }: Pick<Made, "outputs">) => ({ owner, account });
    const urn = (name: string) => `urn:pulumi:dev::test::type::${name}`;

    it("is remembered apart from the owner of an image that is somebody else's, so that it is gone when it is gone", async () => {
      const { owner, consumer, admin } = cloud.services["glance-v1"].accounts;
      // Only an administrator may write an owner tag on somebody else's image.
      const accounts = ["owner", "consumer", "admin"] as const;
      const runs = await Promise.all(accounts.map(account => start("glance-v1", account)));
      const [mine, theirs, anyone] = runs as [ProviderProcess, ProviderProcess, ProviderProcess];
      try {
        const common = { service: "glance-v1", connection: "main", isPublic: true, name: "public" };
        const public_ = await theirs.make("image", { ...common, ...data }, urn("public"));
        assert.deepEqual(remembered(public_), { owner: consumer.projectId, account: undefined });
        const adopted = await anyone.make("image", { ...common, adopt: { id: public_.id } }, urn("adopted"));
        assert.deepEqual(remembered(adopted), { owner: consumer.projectId, account: admin.projectId });
        const demoted = { ...adopted.outputs, account: owner.projectId };
        await assert.rejects(mine.delete(adopted.id, demoted), /answered 403/, "it is seen, and not deleted");
        await anyone.delete(adopted.id, adopted.outputs);
        assert.equal((await anyone.read(adopted.id, adopted.outputs)).id, "");
        assert.equal((await mine.read(adopted.id, demoted)).id, "");
      } finally {
        await Promise.all(runs.map(run => run.stop()));
      }
    });

    it("of an image that was given away is its new owner's: that it isn't seen any more doesn't make it gone", async () => {
      const { consumer } = cloud.services["glance-v1"].accounts;
      const mine = await start("glance-v1", "owner");
      try {
        const inputs = { service: "glance-v1", connection: "main", isPublic: true, name: "given away", ...data };
        const made = await mine.make("image", inputs, urn("given-away"));
        await cloud.tamper(made.id, { owner: consumer.projectId });
        const seen = await mine.read(made.id, made.outputs);
        assert.deepEqual(remembered(seen), { owner: consumer.projectId, account: undefined });
        await cloud.tamper(made.id, { is_public: false });
        const later = await start("glance-v1", "owner");
        await assert.rejects(
          later.read(made.id, seen.outputs),
          new RegExp(`is of project ${consumer.projectId}, as the state remembers`),
        );
        await later.stop();
      } finally {
        await mine.stop();
      }
    });

    it("of a membership that the invited project looks after is that project's, and another one can't replace an image", async () => {
      const { consumer } = cloud.services.ecl.accounts;
      const [mine, theirs] = await Promise.all([start("ecl", "owner"), start("ecl", "consumer")]);
      try {
        const { id: imageId } = await base(mine, "ecl", "invited");
        const common = { service: "ecl", connection: "main" };
        await mine.make("imageMember", { ...common, imageId, member: consumer.projectId }, urn("invitation"));
        const accepted = await theirs.make("imageMember", { ...common, imageId }, urn("acceptance"));
        assert.equal(accepted.outputs.account, consumer.projectId);

        const copied = { ...common, imageId, to: { connection: "main", name: "copied" } };
        const { inputs } = await mine.checkInputs("imageCopy", copied, { resource: urn("copied") });
        const copy = await mine.create(inputs);
        const other = { ...inputs, content: "sha512:00" };
        assert.deepEqual((await mine.diff(copy.id, copy.outputs, other)).replaces, ["content"]);
        await assert.rejects(theirs.diff(copy.id, copy.outputs, other), /is of project \S+, as the state remembers/);
      } finally {
        await Promise.all([mine.stop(), theirs.stop()]);
      }
    });
  });
});
