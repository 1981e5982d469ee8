import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { client, type Send } from "../../cloud/digitalocean/exercise.ts";
import type { State as DigitalOceanState } from "../../cloud/digitalocean/state.ts";
import type { Account } from "../../cloud/openStackCloud.ts";
import { ImageApi } from "../../openstack/imageApi.ts";
import { GlanceV1Api } from "../../support/glanceV1Api.ts";
import type { MatrixCloud } from "./cloud.ts";
import type { Gate } from "./gate.ts";
import type { Subject } from "./subjects.ts";

/** An image that a service has. */
export interface Found {
  id: string;
  name: string;
  status: string;
  /** MD5 of its data, where the service says it (DigitalOcean's local stand-in: where its state says so, a SHA-256). */
  digest?: string | undefined;
  tags: string[];
}

type ImageService = "openstack" | "ecl" | "istack";

export const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");

/** The services of a cloud as somebody sees them who doesn't use Pulumi: what is there, and how to make more of it. */
export class Places {
  readonly #cloud: MatrixCloud;
  readonly #dir: string;
  readonly #disk: Buffer;
  readonly #signedIn = new Map<string, Promise<ImageApi | GlanceV1Api>>();

  /** @param disk what the images that it makes hold */
  constructor(cloud: MatrixCloud, dir: string, disk: Buffer) {
    this.#cloud = cloud;
    this.#dir = dir;
    this.#disk = disk;
  }

  account(service: string, name: string): Account {
    const accounts = this.#cloud.services[service as ImageService].accounts as Record<string, Account>;
    return accounts[name] as Account;
  }

  /** The settings of a connection whose requests go through a gate. */
  async connection(service: string, account: string, gate: Gate): Promise<Record<string, unknown>> {
    const { digitalocean, divvycloud } = this.#cloud.services;
    if (service === "digitalocean") {
      const { token } = digitalocean.accounts[account === "owner" ? "sender" : "recipient"];
      return { service, token, endpoint: await gate.through(digitalocean.url) };
    }
    if (service === "divvycloud")
      return { service, url: await gate.through(divvycloud.url), apiKey: divvycloud.admin.apiKey };
    const { authUrl } = this.#cloud.services[service as ImageService];
    const { username, password, projectId } = this.account(service, account);
    return {
      ...{ service, authUrl, username, password, userDomainId: "default", projectId },
      imageEndpoint: await gate.through(this.#imageUrl(service)),
    };
  }

  /** Makes what a subject needs to be there. */
  async make({ service, needs }: Subject): Promise<string> {
    if (service === "digitalocean") return await this.#makeAtDigitalOcean(needs);
    if (service === "divvycloud") {
      const { controlUrl } = this.#cloud.services.divvycloud;
      const made = await client(controlUrl)("POST", "/images", { name: "theirs", cloud: "OPENSTACK" });
      return made.body.resource_id;
    }
    if (service === "glance-v1") {
      const meta = { name: "base", disk_format: "raw", container_format: "bare" };
      return (await (await this.#glanceV1("owner")).create(meta, new Uint8Array(this.#disk))).id;
    }
    const shared = service === "istack" ? {} : { visibility: "shared" };
    const body = { name: "base", disk_format: "raw", container_format: "bare", ...shared };
    return (await (await this.images(service, "owner")).create(body, this.#disk)).id;
  }

  async #makeAtDigitalOcean(needs: Subject["needs"]): Promise<string> {
    const control = client(this.#cloud.services.digitalocean.controlUrl);
    const droplet = (await control("POST", "/sender/droplets", { name: "base" })).body.id;
    if (needs === "droplet") return String(droplet);
    if (needs === "backup each time")
      return String((await control("POST", `/droplets/${droplet}/backups`, {})).body.id);
    const send = this.digitalocean("owner");
    const { action } = (await send("POST", `/v2/droplets/${droplet}/actions`, { type: "snapshot", name: "base" })).body;
    const read = async () => (await send("GET", `/v2/droplets/${droplet}/actions/${action.id}`)).body.action.status;
    while ((await read()) === "in-progress") await pause(20);
    return String((await send("GET", `/v2/droplets/${droplet}/snapshots`)).body.snapshots[0].id);
  }

  /** What a person does in a service's control panel, where nothing else helps: an offer whose id nobody knows is cancelled. */
  async cancelOffers(base: string): Promise<void> {
    await client(this.#cloud.services.digitalocean.controlUrl)("DELETE", `/images/${base}/transfers`);
  }

  /** All images of an account's own, whatever the service would hide. */
  async list(service: string, account: string): Promise<Found[]> {
    if (service === "digitalocean") return await this.#listDigitalOcean(account);
    if (service === "divvycloud") return await this.#listDivvyCloud();
    const { projectId } = this.account(service, account);
    if (service === "glance-v1") {
      const images = await (await this.#glanceV1(account)).list();
      return images
        .filter(({ owner }) => owner === projectId)
        .map(({ id, name, status, checksum }) => ({
          id,
          name: name ?? "",
          status,
          digest: checksum ?? undefined,
          tags: [],
        }));
    }
    const api = await this.images(service, account);
    const listed = [...(await api.list()), ...(service === "openstack" ? await api.list("os_hidden=true") : [])];
    return listed
      .filter(({ owner, status }) => owner === projectId && status !== "deleted")
      .map(({ id, name, status, checksum, tags, pulumi_images_unfinished: marker }) => ({
        id,
        name,
        // One that was ordered without data is finished so.
        status: status === "queued" && marker === undefined ? "queued, finished" : status,
        digest: checksum as string | undefined,
        tags,
      }));
  }

  async #listDigitalOcean(account: string): Promise<Found[]> {
    const state = await this.#digitalOceanState();
    const { uuid } = this.#cloud.services.digitalocean.accounts[account === "owner" ? "sender" : "recipient"];
    return state.images
      .filter(({ owner, status }) => owner === uuid && status !== "deleted")
      .map(({ id, name, status, sha256 }) => {
        const tags = state.tags
          .filter(({ resources }) => resources.some(({ resource_id }) => resource_id === String(id)))
          .map(tag => tag.name);
        return { id: String(id), name, status, digest: sha256, tags };
      });
  }

  /** Tags of DigitalOcean's that are marks of images which aren't there any more. */
  async deadMarks(): Promise<string[]> {
    if (!this.#cloud.has("digitalocean")) return [];
    const { tags } = await this.#digitalOceanState();
    return tags
      .filter(({ name, resources }) => name.startsWith("pulumi-images:") && resources.length === 0)
      .map(tag => tag.name);
  }

  /** Its local stand-in's own file: the service itself says neither what an image's data is, nor which tags aren't used. */
  async #digitalOceanState(): Promise<DigitalOceanState> {
    return JSON.parse(await readFile(join(this.#dir, "digitalocean", "state.json"), "utf8")) as DigitalOceanState;
  }

  async #listDivvyCloud(): Promise<Found[]> {
    const { url, admin } = this.#cloud.services.divvycloud;
    const query = { selected_resource_type: "privateimage", scopes: [], filters: [], offset: 0, limit: 100 };
    const answer = await fetch(`${url}/v2/public/resource/query`, {
      method: "POST",
      headers: { "api-key": admin.apiKey, "content-type": "application/json" },
      body: JSON.stringify({ ...query, order_by: "", tags: [], badges: [] }),
    });
    const { resources } = (await answer.json()) as {
      resources: { privateimage: { name: string; state: string; common: { resource_id: string } } }[];
    };
    return resources.map(({ privateimage: { name, state, common } }) => ({
      ...{ id: common.resource_id, name, status: state, tags: [] },
    }));
  }

  /** Members of an image as `<project> <status>`, or what stands for the status. */
  async members(service: string, image: string): Promise<string[]> {
    if (service === "glance-v1") {
      const members = await (await this.#glanceV1("owner")).members(image);
      return members.map(({ member_id, can_share }) => `${member_id} ${can_share}`);
    }
    const answer = await (await this.images(service, "owner")).send("GET", `/v2/images/${image}/members`);
    const { members } = (await answer.json()) as { members: { member_id: string; status: string }[] };
    return members.map(({ member_id, status }) => `${member_id} ${status}`);
  }

  async images(service: string, account: string): Promise<ImageApi> {
    return (await this.#signIn(service, account, () =>
      ImageApi.signIn(
        this.#cloud.services[service as ImageService].authUrl,
        this.account(service, account),
        this.#imageUrl(service),
      ),
    )) as ImageApi;
  }

  async #glanceV1(account: string): Promise<GlanceV1Api> {
    const { authUrl, imageUrl } = this.#cloud.services["glance-v1"];
    return (await this.#signIn("glance-v1", account, () =>
      GlanceV1Api.signIn(authUrl, this.account("glance-v1", account), imageUrl),
    )) as GlanceV1Api;
  }

  digitalocean(account: string): Send {
    const { url, accounts } = this.#cloud.services.digitalocean;
    return client(url, accounts[account === "owner" ? "sender" : "recipient"].token);
  }

  #signIn(service: string, account: string, open: () => Promise<ImageApi | GlanceV1Api>) {
    const key = `${service}/${account}`;
    const known = this.#signedIn.get(key) ?? open();
    this.#signedIn.set(key, known);
    return known;
  }

  #imageUrl(service: string): string {
    const { openstack, ecl, istack, "glance-v1": glanceV1 } = this.#cloud.services;
    if (service === "openstack") return openstack.imageServers[0] as string;
    if (service === "ecl") return ecl.imageUrls.jp1;
    return service === "istack" ? istack.imageUrl : glanceV1.imageUrl;
  }
}
