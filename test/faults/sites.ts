import type { LocalCloud } from "../cloud/cloud.ts";
import type { Account } from "../cloud/openStackCloud.ts";
import type { TestCloud } from "../openstack/clouds.ts";
import { ImageApi } from "../openstack/imageApi.ts";
import { type GlanceSite, glancePlace } from "./glance.ts";
import type { Place, Values } from "./place.ts";

/** For a service of the local cloud. */
const local = 16;

async function site(
  rest: Omit<GlanceSite, "apis" | "disk" | "files">,
  disk: Uint8Array,
  files: string,
): Promise<GlanceSite> {
  const apis: Record<string, ImageApi> = {};
  for (const [name, account] of Object.entries(rest.accounts))
    apis[name] = await ImageApi.signIn(rest.authUrl, account, rest.imageUrls[name] as string);
  return { ...rest, apis, disk, files };
}

/** An OpenStack with two regions, local or real. */
export async function openStackPlace(cloud: TestCloud, disk: Uint8Array, files: string): Promise<Place> {
  const { owner, consumer, admin } = cloud.accounts;
  const [here, there] = cloud.recorders.map(({ target }) => target as string) as [string, string];
  const [first, second] = cloud.regions.map(({ name }) => name);
  const changes: Values = { minRam: 64, properties: { p: "1" } };
  return glancePlace(
    await site(
      {
        ...{ title: `openstack (${cloud.kind})`, service: "openstack", authUrl: cloud.authUrl, changes },
        atOnce: cloud.kind === "real" ? 4 : local,
        accounts: { owner, consumer, admin, elsewhere: owner },
        imageUrls: { owner: here, consumer: here, admin: here, elsewhere: there },
        regions: { owner: first, consumer: first, admin: first, elsewhere: second },
        ...{ copier: "admin", members: true },
      },
      disk,
      files,
    ),
  );
}

export async function eclPlace(cloud: LocalCloud, disk: Uint8Array, files: string): Promise<Place> {
  const { authUrl, accounts, imageUrls } = cloud.services.ecl;
  const made = await site(
    {
      ...{ title: "ecl", service: "ecl", authUrl, members: true, atOnce: local },
      accounts: { owner: accounts.owner, consumer: accounts.consumer, elsewhere: accounts.overseas },
      imageUrls: { owner: imageUrls.jp1, consumer: imageUrls.jp1, elsewhere: imageUrls.jp2 },
      changes: { minRam: 64, properties: { p: "1" } },
    },
    disk,
    files,
  );
  const place = glancePlace(made);
  const owner = made.apis.owner as ImageApi;
  return {
    ...place,
    scenarios: via => [
      ...place.scenarios(via),
      {
        title: "ImageCopy to a tenant",
        kind: "ImageCopy",
        prepare: async name => ({
          imageId: (await owner.create({ name, disk_format: "raw", container_format: "bare" }, disk)).id,
        }),
        args: ({ made: { imageId }, on }) => ({
          ...{ service: "ecl", connection: on("owner"), imageId },
          to: { tenant: (accounts.consumer as Account).projectId, connection: on("consumer") },
        }),
        world: async ({ name }) =>
          (await (made.apis.consumer as ImageApi).list())
            .filter(image => image.name === name)
            .map(({ status, size, checksum }) => ({ status, size, checksum })),
        clean: async ({ made: { imageId } }) => owner.delete(String(imageId)),
      },
    ],
  };
}

export async function istackPlace(cloud: LocalCloud, disk: Uint8Array, files: string): Promise<Place> {
  const { authUrl, accounts, imageUrl } = cloud.services.istack;
  return glancePlace(
    await site(
      {
        ...{ title: "istack", service: "istack", authUrl, members: false, atOnce: local },
        accounts: { owner: accounts.owner, elsewhere: accounts.consumer },
        imageUrls: { owner: imageUrl, elsewhere: imageUrl },
        changes: { minRam: 64 },
      },
      disk,
      files,
    ),
  );
}
