import type { Account } from "../cloud/openStackCloud.ts";
import type { ApiImage, ImageApi } from "../openstack/imageApi.ts";
import type { Place, Scenario, Subject, Values } from "./place.ts";

/** What the scenarios of an Image API v2 need to know of it. */
export interface GlanceSite {
  title: string;
  atOnce: number;
  service: string;
  authUrl: string;
  /** The image services' origins by the accounts that use them; `elsewhere` is another region, or another account. */
  imageUrls: Record<string, string>;
  accounts: Record<string, Account>;
  regions?: Record<string, string | undefined>;
  /** Those who work on it behind Pulumi's back. */
  apis: Record<string, ImageApi>;
  /** The account that may copy an image to the store `slow`. */
  copier?: string;
  disk: Uint8Array;
  /** Where disk.raw is served. */
  files: string;
  members: boolean;
  /** What can be changed of an image in place. */
  changes: Values;
}

/** Images, members, tags and copies of a service that speaks the Image API v2. */
export function glancePlace(site: GlanceSite): Place {
  const { service, apis, disk } = site;
  const owner = apis.owner as ImageApi;
  const file = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
  const wire = { disk_format: "raw", container_format: "bare" };
  const fresh = async (name: string, api = owner): Promise<Values> => {
    const body = { name, ...wire, tags: ["first"], ...(site.members ? { visibility: "shared" } : {}) };
    return { imageId: (await api.create(body, disk)).id };
  };
  const copier = apis[site.copier ?? "owner"] as ImageApi;
  const remove = async ({ made: { imageId } }: Subject): Promise<void> => owner.delete(String(imageId));
  const images =
    (account: string) =>
    async ({ name }: Subject) =>
      shown(await (apis[account] as ImageApi).list(), name);

  const image = (title: string, args: Values): Scenario => ({
    title,
    kind: "Image",
    args: ({ name, on }) => ({ service, connection: on("owner"), name, tags: ["one"], ...file, ...args }),
    changed: ({ name, on }) => ({
      ...{ service, connection: on("owner"), name: `${name} changed`, tags: ["one", "two"], ...file, ...args },
      ...site.changes,
    }),
    world: images("owner"),
  });

  const tag: Scenario = {
    title: "ImageTag",
    kind: "ImageTag",
    prepare: name => fresh(name),
    args: ({ made, on }) => ({ service, connection: on("owner"), imageId: made.imageId, tag: "golden" }),
    world: images("owner"),
    clean: remove,
  };

  const member: Scenario = {
    title: "ImageMember",
    kind: "ImageMember",
    prepare: name => fresh(name),
    args: ({ made, on }) => ({
      ...{ service, connection: on("owner"), imageId: made.imageId },
      ...{ member: site.accounts.consumer?.projectId, accept: { connection: on("consumer") } },
    }),
    changed: ({ made, on }) => ({
      ...{ service, connection: on("owner"), imageId: made.imageId, status: "rejected" },
      ...{ member: site.accounts.consumer?.projectId, accept: { connection: on("consumer") } },
    }),
    async world({ made }) {
      const answer = await owner.send("GET", `/v2/images/${String(made.imageId)}/members`);
      const { members } = (await answer.json()) as { members: { member_id: string; status: string }[] };
      return members.map(({ member_id, status }) => [member_id, status]);
    },
    clean: remove,
  };

  const across: Scenario = {
    title: "ImageCopy to a connection",
    kind: "ImageCopy",
    prepare: name => fresh(name),
    args: ({ name, made, on }) => ({
      ...{ service, connection: on("owner"), imageId: made.imageId },
      to: { connection: on("elsewhere"), name: `${name} copy` },
    }),
    changed: ({ name, made, on }) => ({
      ...{ service, connection: on("owner"), imageId: made.imageId },
      to: { connection: on("elsewhere"), name: `${name} copy`, tags: ["first", "second"] },
    }),
    async world({ name }) {
      return shown(await (apis.elsewhere as ImageApi).list(), `${name} copy`);
    },
    clean: remove,
  };

  const inStores: Scenario = {
    title: "ImageCopy to stores",
    kind: "ImageCopy",
    prepare: name => fresh(name, copier),
    args: ({ made, on }) => ({
      ...{ service, connection: on(site.copier ?? ""), imageId: made.imageId },
      to: { stores: ["slow"] },
    }),
    // Glance names them in any order.
    world: async ({ made }) =>
      String((await copier.image(String(made.imageId))).stores)
        .split(",")
        .toSorted(),
    clean: async ({ made: { imageId } }) => copier.delete(String(imageId)),
  };

  return {
    title: site.title,
    atOnce: site.atOnce,
    targets: [...new Set([site.authUrl, ...Object.values(site.imageUrls), site.files].map(url => new URL(url).origin))],
    async connections(via, key) {
      const of = (name: string, { username, password, userDomain, projectId }: Account) => [
        `${name}${key}`,
        {
          ...{ service, authUrl: via(site.authUrl), username, password, userDomainName: userDomain, projectId },
          imageEndpoint: via(site.imageUrls[name] as string),
          region: site.regions?.[name],
        },
      ];
      return Object.fromEntries(Object.entries(site.accounts).map(([name, account]) => of(name, account)));
    },
    scenarios: via => [
      image("Image from a file", {}),
      image("Image from a url", { source: { url: via(`${site.files}/disk.raw`) } }),
      ...(site.copier === undefined
        ? []
        : [image("Image imported", { source: { url: via(`${site.files}/disk.raw`), mode: "import" } })]),
      ...(site.members ? [member] : []),
      tag,
      across,
      ...(site.copier === undefined ? [] : [inStores]),
    ],
  };
}

/** Images whose name begins so, without what differs from one image to the next. */
function shown(all: readonly ApiImage[], name: string): unknown[] {
  return all
    .filter(image => image.name?.startsWith(name))
    .map(({ id, created_at, updated_at, file, self, owner, direct_url, locations, tags, ...rest }) => {
      const kept = Object.entries(rest).filter(
        ([key]) => !key.startsWith("pulumi_images") && !key.startsWith("os_glance"),
      );
      return { ...Object.fromEntries(kept), tags: tags.toSorted() };
    });
}
