import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Recorder, startRecorder } from "../../../tools/recorder/recorder.ts";
import { type LocalCloud, startCloud } from "../../cloud/cloud.ts";
import { type Declared, Stack } from "../stack.ts";
import { type Case, describeDrifts, type Quiet } from "./drifting.ts";

const service = "divvycloud";
const image = (name: string, args: Record<string, unknown>): Declared => ({
  kind: "Image",
  name,
  args: { service, connection: "key", ...args },
});

describe("Drift on divvycloud", () => {
  let dir: string;
  let cloud: LocalCloud;
  let recorder: Recorder;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "pulumi-images-drift-divvy-"));
    cloud = await startCloud({ dir, services: [service] });
    recorder = await startRecorder({ target: cloud.services.divvycloud.url });
  });

  describeDrifts(service, {
    newStack: () =>
      Stack.create({
        project: "drift",
        config: {
          "images:connections": { key: { service, url: recorder.url, apiKey: cloud.services.divvycloud.admin.apiKey } },
        },
      }),
    cases,
    quiet,
    writes: {
      forget: () => recorder.clear(),
      list: () =>
        recorder.requests
          .map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)
          .filter(request => /prototype|snapshot|notes\/create/.test(request)),
    },
  });

  after(async () => {
    await recorder?.stop();
    await cloud?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** What happens behind DivvyCloud's back. */
  async function control(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await fetch(`${cloud.services.divvycloud.controlUrl}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    assert.ok(answer.ok, `${method} ${path} answered ${answer.status}`);
    return answer.status === 204 ? "" : ((await answer.json()) as { resource_id: string }).resource_id;
  }
  const make = (attributes: Record<string, unknown>) => control("POST", "/images", attributes);
  const set = (id: string, attributes: Record<string, unknown>) => control("PATCH", `/images/${id}`, attributes);
  const vanish = (id: string) => control("DELETE", `/images/${id}`);

  function cases(): Record<string, Case> {
    const ids = new Map<string, string>();
    /** An image that is there, with a field declared that only its own cloud can change. */
    const expected = (
      field: string,
      [old, now]: [unknown, unknown],
      change: Record<string, unknown>,
      means: Case["means"] = ["metadata"],
      along: Record<string, [unknown, unknown]> = {},
    ): [string, Case] => [
      `Image ${field} changed`,
      {
        prepare: async () => {
          const wire = { description: "", product_code: "b".repeat(25), image_id: `ami-${field}` };
          ids.set(field, await make({ name: field, ...wire }));
        },
        declared: name => [image(name, { adopt: { id: ids.get(field) }, [field]: old })],
        drift: ({ id }) => set(id, change),
        without: name => [image(name, { adopt: { id: ids.get(field) } })],
        shows: { [field]: [old, now], ...along },
        means,
        says: ({ id }) =>
          new RegExp(`image ${id} isn't as expected: ${field} is .* as it is declared.*or declare what it is`),
      },
    ];
    const instance = cloud.services.divvycloud.clouds.OPENSTACK?.instance;
    const made = (name: string) => [image(name, { instance, name })];
    let remade = "";
    return {
      "Image name changed": {
        prepare: async () => void ids.set("name", await make({ name: "Image name changed" })),
        declared: name => [image(name, { adopt: { id: ids.get("name") }, name })],
        drift: ({ id }) => set(id, { name: "drifted" }),
        shows: { name: ["Image name changed", "drifted"] },
        means: ["metadata"],
      },
      ...Object.fromEntries([
        expected("description", ["", "changed"], { description: "changed" }),
        expected("state", ["available", "deregistered"], { state: "deregistered" }, ["availability"], {
          status: ["available", "deregistered"],
        }),
        expected("architecture", ["x86_64", "x86_32"], { architecture: "x86_32" }),
        expected("platform", ["linux", "windows"], { platform: "windows" }),
        expected("rootDeviceType", ["ebs", "snapshot"], { root_device_type: "snapshot" }),
        expected("virtualizationType", ["HVM", "PV"], { virtualization_type: "paravirtual" }),
        expected(
          "blockDeviceMapping",
          [[{ device_name: "/dev/sda1", volume_size: 8 }], []],
          {
            block_device_mapping: [],
          },
          ["security"],
        ),
        expected("minRam", [512, 4096], { min_ram: "4096" }),
        expected("minDisk", [8, 80], { min_disk: 80 }),
        expected("shared", [false, true], { shared: true }, ["security"]),
        expected("productCode", ["b".repeat(25), "c".repeat(25)], { product_code: "c".repeat(25) }),
        expected("productCodeType", ["none", "marketplace"], { product_code_type: "marketplace" }),
      ]),
      ...place(expected),
      "Image in another status": {
        prepare: async () => void ids.set("status", await make({ name: "status" })),
        declared: name => [image(name, { adopt: { id: ids.get("status") } })],
        drift: ({ id }) => set(id, { state: "deregistered" }),
        shows: { status: ["available", "deregistered"], state: ["available", "deregistered"] },
        means: ["availability"],
      },
      "Image deleted": { declared: made, drift: ({ id }) => vanish(id), means: ["availability"] },
      "Image deleted, and made again under the same name": {
        declared: made,
        async drift({ id, outputs }) {
          await vanish(id);
          remade = await make({ name: outputs.name });
        },
        means: ["availability"],
        says: ({ id }) => new RegExp(`image ${id} is gone, and somebody made another one .*${remade}`),
        tidy: () => vanish(remade),
      },
      "Image deleted, after it was adopted by its id": {
        prepare: async () => void ids.set("gone", await make({ name: "gone" })),
        declared: name => [image(name, { adopt: { id: ids.get("gone") } })],
        drift: ({ id }) => vanish(id),
        means: ["availability"],
        says: ({ id }) => new RegExp(`there is no image with the id ${id} to adopt`),
      },
    };
  }

  /** Where an image is: its own cloud's id of it, the cloud account, the region. */
  function place(
    expected: (...args: [string, [unknown, unknown], Record<string, unknown>, Case["means"]?]) => [string, Case],
  ) {
    const moved = { organization_service_id: 2 };
    return Object.fromEntries([
      expected("cloudImageId", ["ami-cloudImageId", "ami-other"], { image_id: "ami-other" }, ["security"]),
      expected("cloud", ["AWS", "OPENSTACK"], moved),
      expected("account", ["aws-dev", "openstack-lab"], moved, ["security"]),
      expected("organizationServiceId", [1, 2], moved),
      expected("region", ["us-east-1", "us-west-2"], { region_name: "us-west-2" }),
    ]);
  }

  function quiet(): Record<string, Quiet> {
    let id = "";
    return {
      "what isn't declared": {
        prepare: async () => {
          id = await make({ name: "quiet", min_ram: 512 });
        },
        declared: name => [image(name, { adopt: { id }, name: "quiet", minRam: 512, shared: false })],
        change: found => set(found.id, { min_ram: "512", shared: "False", description: "theirs", tags: { a: "b" } }),
      },
    };
  }
});
