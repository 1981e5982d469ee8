import assert from "node:assert/strict";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FieldTable, type Kind, kinds } from "../../provider/fields/field.ts";
import { type ServiceName, serviceNames } from "../../provider/services/names.ts";
import { type ServiceEntry, services } from "../../provider/services/registry.ts";
import { type CheckFailure, ProviderProcess } from "./providerProcess.ts";

/** Where data can come from; each service's suite shows it, and that ECL and iStack fetch nothing themselves, which is asked of the cloud. */
const possible: Record<ServiceName, string[]> = {
  openstack: ["a file", "a url", "a url that the service fetches"],
  ecl: ["a file", "a url", "a url that the service fetches"],
  istack: ["a file", "a url", "a url that the service fetches"],
  "glance-v1": ["a file", "a url", "a url that the service fetches"],
  digitalocean: ["a url that the service fetches"],
  divvycloud: [],
};

/** Where copies can go. */
const copies: Partial<Record<ServiceName, string[]>> = {
  openstack: ["stores", "connection"],
  ecl: ["tenant", "connection"],
  istack: ["connection"],
  "glance-v1": ["connection"],
  digitalocean: ["regions"],
};

/**
 * What a service can't do is an error at preview that names the service and the field, and what to use instead. The cells are taken from the
 * tables of the registry: what one service knows and another doesn't. What a service can do, its own suite shows; that none of the fields which
 * can be changed in place is left out there is checked by cells.ts.
 */
describe("What a service hasn't", () => {
  const root = join(import.meta.dirname, "..", "..");
  const entries = serviceNames.map(name => [name, services[name] as ServiceEntry] as const);
  const tableOf = (service: ServiceName, kind: Kind) => services[service]?.tables[kind]?.();
  const providers = {
    Image: "image",
    ImageMember: "imageMember",
    ImageTag: "imageTag",
    ImageCopy: "imageCopy",
  } as const;
  let folder: string;
  let provider: ProviderProcess;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-images-cells-"));
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    provider = await ProviderProcess.start(folder, {});
  });
  after(async () => {
    await provider.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** What is said of one input. Nothing is asked of a service for it, as there is no connection. */
  async function reasons(service: ServiceName, kind: Kind, inputs: Record<string, unknown>): Promise<CheckFailure[]> {
    return await provider.check(providers[kind], { service, ...inputs });
  }

  for (const [service, { missing, tables }] of entries) {
    describe(service, () => {
      for (const kind of kinds.filter(kind => tables[kind] === undefined)) {
        it(`${kind}: says so, and what to use instead`, async () => {
          const failures = await reasons(service, kind, {
            imageId: "x",
            member: "y",
            tag: "z",
            to: { connection: "w" },
          });
          assert.deepEqual(failures, [{ property: "service", reason: `${service} has no ${kind}: ${missing[kind]}` }]);
        });
      }

      for (const kind of kinds.filter(kind => tables[kind] !== undefined)) {
        const own = tableOf(service, kind) as FieldTable;
        const foreign = new Set(
          serviceNames
            .flatMap(other => Object.entries(tableOf(other, kind)?.fields ?? {}))
            // A program doesn't declare what check or the sdk add.
            .filter(([field, { by }]) => by === undefined && own.fields[field] === undefined)
            .map(([field]) => field),
        );
        if (foreign.size === 0) continue;
        it(`${kind}: ${[...foreign].join(", ")}: says so of each, and what to use instead`, async () => {
          const inputs = Object.fromEntries([...foreign].map(field => [field, "x"]));
          const failures = await reasons(service, kind, inputs);
          for (const field of foreign) {
            const said = failures.find(({ property }) => property === field)?.reason ?? "nothing";
            assert.ok(own.instead[field], `${service}'s ${kind} has nothing to use instead of ${field}: ${said}`);
            assert.equal(said, `${service} has no ${field}: ${own.instead[field]}`);
          }
        });
      }

      const ways: [string, Record<string, unknown>][] = [
        ["a file", { source: { file: "disk.raw" } }],
        ["a url", { source: { url: "https://example.org/disk.raw", mode: "stream" } }],
        ["a url that the service fetches", { source: { url: "https://example.org/disk.raw", mode: "import" } }],
      ];
      for (const [way, inputs] of ways.filter(([way]) => !possible[service].includes(way))) {
        it(`an image from ${way}: says so, and what to use instead`, async () => {
          const failures = await reasons(service, "Image", { name: "x", ...inputs });
          const [said] = failures.filter(({ property }) => property.startsWith("source"));
          assert.match(said?.reason ?? "nothing", /: (put|adopt|leave)|use /, JSON.stringify(failures));
        });
      }

      const places: Record<string, object> = {
        stores: { stores: ["slow"] },
        tenant: { tenant: "7b6f2c0d9e1a4f5b8c3d2e1f0a9b8c7d" },
        regions: { regions: ["ams3"] },
        connection: { connection: "there" },
      };
      for (const [place, to] of Object.entries(places)) {
        if (tables.ImageCopy === undefined || copies[service]?.includes(place)) continue;
        it(`a copy to ${place}: says so, and where to instead`, async () => {
          const failures = await reasons(service, "ImageCopy", { imageId: crypto.randomUUID(), to });
          const said = failures.filter(({ property }) => /^to\b/.test(property)).map(({ reason }) => reason);
          assert.match(said.join("\n"), new RegExp(`to has no ${place}|to must be|to: {`), JSON.stringify(failures));
        });
      }
    });
  }
});
