import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectionOf, type TestCloud } from "../../openstack/clouds.ts";
import type { ApiImage, ImageApi } from "../../openstack/imageApi.ts";
import { noise } from "../../support/disk.ts";
import { type Declared, Stack, type StackOptions } from "../stack.ts";

const service = "openstack";

/** The data of images: two disks that differ. */
export const disks = { one: noise("ownership one", 20_000), two: noise("ownership two", 30_000) };
export type Disk = keyof typeof disks;

/** Stacks on an OpenStack cloud, and somebody who looks at what became of their images. */
export class GlanceBench {
  readonly cloud: TestCloud;
  readonly owner: ImageApi;
  readonly consumer: ImageApi;
  readonly admin: ImageApi;

  private constructor(cloud: TestCloud, owner: ImageApi, consumer: ImageApi, admin: ImageApi) {
    this.cloud = cloud;
    this.owner = owner;
    this.consumer = consumer;
    this.admin = admin;
  }

  static async open(cloud: TestCloud): Promise<GlanceBench> {
    return new GlanceBench(cloud, await cloud.as("owner"), await cloud.as("consumer"), await cloud.as("admin"));
  }

  /** With a connection for each account, and `elsewhere` for the owner's second region. */
  async newStack(options: StackOptions = {}): Promise<Stack> {
    const { accounts, regions } = this.cloud;
    const connections = {
      owner: connectionOf(this.cloud, accounts.owner),
      consumer: connectionOf(this.cloud, accounts.consumer),
      admin: connectionOf(this.cloud, accounts.admin),
      elsewhere: connectionOf(this.cloud, accounts.owner, regions[1]?.name),
    };
    const stack = await Stack.create({
      project: "ownership",
      config: { "images:connections": connections },
      ...options,
    });
    for (const [name, bytes] of Object.entries(disks)) await writeFile(join(stack.folder, `${name}.raw`), bytes);
    return stack;
  }

  /** An image of the owner's with the data of a disk. */
  image(
    name: string,
    disk?: Disk,
    args: Record<string, unknown> = {},
    options: Record<string, unknown> = {},
  ): Declared {
    const data =
      disk === undefined ? {} : { diskFormat: "raw", containerFormat: "bare", source: { file: `${disk}.raw` } };
    return { kind: "Image", name, args: { service, connection: "owner", name, ...data, ...args }, options };
  }

  /** A member, a tag or a copy of an image of the owner's. */
  part(kind: "ImageMember" | "ImageTag" | "ImageCopy", name: string, args: Record<string, unknown>): Declared {
    return { kind, name, args: { service, connection: "owner", ...args } };
  }

  /** Makes an image as somebody does who doesn't use Pulumi. */
  make(body: Record<string, unknown>, disk?: Disk, by: ImageApi = this.owner): Promise<ApiImage> {
    const data = disk === undefined ? undefined : disks[disk];
    return by.create({ disk_format: "raw", container_format: "bare", ...body }, data);
  }

  /** Fails unless the image is there, finished, with this data. */
  async assertHolds(id: string, disk: Disk, by: ImageApi = this.owner): Promise<void> {
    const image = await by.image(id);
    assert.equal(image.status, "active");
    assert.equal(image.pulumi_images_unfinished, undefined, "the create's marker is still there");
    assert.deepEqual(Buffer.from(await by.data(id)), disks[disk]);
  }

  async assertGone(id: string, by: ImageApi = this.owner): Promise<void> {
    assert.equal(await by.exists(id), false, `image ${id} is still there`);
  }
}

/** What the state knows of a resource's image. */
export async function idOf(stack: Stack, name: string): Promise<string> {
  const resource = (await stack.state())[name];
  assert.ok(resource, `the state has no ${name}`);
  return resource.id;
}
