import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CloudSettings, type LocalCloud, startCloud } from "../cloud/cloud.ts";
import type { Account } from "../cloud/openStackCloud.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { noise } from "../support/disk.ts";
import { type Declared, Stack } from "./stack.ts";

/** A service of the local cloud that speaks the Image API v2 in its own dialect, and what a test of it needs. */
export class ImageBench {
  readonly service: "ecl" | "istack";
  readonly cloud: LocalCloud;
  /** What the stacks' disk.raw holds. */
  readonly disk: Buffer;
  /** Who works on the service behind Pulumi's back. */
  readonly owner: ImageApi;
  readonly #dir: string;

  private constructor(service: "ecl" | "istack", cloud: LocalCloud, dir: string, owner: ImageApi) {
    this.service = service;
    this.cloud = cloud;
    this.disk = noise(service, 100_000);
    this.owner = owner;
    this.#dir = dir;
  }

  static async start(service: "ecl" | "istack", settings: CloudSettings = {}): Promise<ImageBench> {
    const dir = await mkdtemp(join(tmpdir(), `pulumi-images-${service}-`));
    const cloud = await startCloud({ dir, services: ["openstack", "ecl", "istack"], settings });
    const { authUrl, accounts } = cloud.services[service];
    return new ImageBench(
      service,
      cloud,
      dir,
      await ImageApi.signIn(authUrl, accounts.owner, imageUrlOf(cloud, service)),
    );
  }

  async stop(): Promise<void> {
    await this.cloud.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Another account of the service, behind Pulumi's back. */
  async as(account: "consumer" | "overseas"): Promise<ImageApi> {
    const { services } = this.cloud;
    const { authUrl } = services[this.service];
    if (account === "overseas")
      return await ImageApi.signIn(authUrl, services.ecl.accounts.overseas, services.ecl.imageUrls.jp2);
    return await ImageApi.signIn(
      authUrl,
      services[this.service].accounts.consumer,
      imageUrlOf(this.cloud, this.service),
    );
  }

  /** A connection for each account of the service, and `openstack`. */
  connections(): Record<string, unknown> {
    const { [this.service]: own, openstack } = this.cloud.services;
    const region = openstack.regions[0]?.name;
    return {
      ...Object.fromEntries(
        Object.entries(own.accounts).map(([name, account]) => [name, connectionOf(this.service, own.authUrl, account)]),
      ),
      openstack: { ...connectionOf("openstack", openstack.authUrl, openstack.accounts.owner), region },
    };
  }

  async newStack(project: string): Promise<Stack> {
    const config = { "images:connections": this.connections() };
    const stack = await Stack.create({ project: `${this.service}-${project}`, config });
    await writeFile(join(stack.folder, "disk.raw"), this.disk);
    return stack;
  }

  /** An image of a few bytes, with the fields that a test is about. */
  image(name: string, args: Record<string, unknown> = {}, options: Record<string, unknown> = {}): Declared {
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
    return {
      kind: "Image",
      name,
      args: { service: this.service, connection: "owner", name, ...data, ...args },
      options,
    };
  }

  /** What was asked of the service's image API since the last `forget`, whoever did. */
  requests(): string[] {
    return this.cloud.requests
      .filter(({ service, path }) => service === this.service && path.startsWith("/v2/"))
      .map(({ method, path }) => `${method} ${path}`);
  }

  writes(): string[] {
    return this.requests().filter(request => !request.startsWith("GET "));
  }

  forget(): void {
    this.cloud.requests.length = 0;
  }
}

function imageUrlOf(cloud: LocalCloud, service: "ecl" | "istack"): string {
  return service === "ecl" ? cloud.services.ecl.imageUrls.jp1 : cloud.services.istack.imageUrl;
}

function connectionOf(service: string, authUrl: string, account: Account): Record<string, unknown> {
  return {
    service,
    authUrl,
    username: account.username,
    password: account.password,
    userDomainId: "default",
    projectId: account.projectId,
  };
}

/** Asks until there is an answer. */
export async function until<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
