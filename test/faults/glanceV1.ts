import type { LocalCloud } from "../cloud/cloud.ts";
import { GlanceV1Api } from "../support/glanceV1Api.ts";
import type { Place, Scenario, Subject, Values } from "./place.ts";

/** Images, members and copies of the Image API v1. */
export async function glanceV1Place(cloud: LocalCloud, disk: Uint8Array<ArrayBuffer>, files: string): Promise<Place> {
  const service = "glance-v1";
  const { authUrl, imageUrl, accounts, region } = cloud.services[service];
  const api = await GlanceV1Api.signIn(authUrl, accounts.owner, imageUrl);
  const theirs = await GlanceV1Api.signIn(authUrl, accounts.consumer, imageUrl);
  const meta = (name: string) => ({ name, disk_format: "raw", container_format: "bare" });
  const prepare = async (name: string): Promise<Values> => ({ imageId: (await api.create(meta(name), disk)).id });
  const clean = async ({ made: { imageId } }: Subject): Promise<void> => api.delete(String(imageId));
  const world =
    (of: GlanceV1Api, suffix = "") =>
    async ({ name }: Subject) =>
      (await of.list())
        .filter(image => image.name?.startsWith(`${name}${suffix}`))
        .map(({ id: _, owner: __, created_at: ___, properties, ...image }) => ({
          ...Object.fromEntries(Object.entries(image).filter(([key]) => key !== "updated_at")),
          properties: Object.fromEntries(
            Object.entries(properties).filter(([key]) => !key.startsWith("pulumi_images")),
          ),
        }));

  const image = (title: string, args: Values): Scenario => {
    const all = { service, diskFormat: "raw", containerFormat: "bare", properties: { p: "1" }, ...args };
    return {
      title,
      kind: "Image",
      args: ({ name, on }) => ({ connection: on("owner"), name, ...all }),
      changed: ({ name, on }) => ({
        ...{ connection: on("owner"), ...all, name: `${name} changed` },
        ...{ minRam: 64, properties: { q: "2" } },
      }),
      world: world(api),
    };
  };

  return {
    ...{ title: service, atOnce: 16 },
    targets: [authUrl, imageUrl, files].map(url => new URL(url).origin),
    async connections(via, key) {
      return Object.fromEntries(
        Object.entries({ owner: accounts.owner, consumer: accounts.consumer }).map(([name, account]) => [
          `${name}${key}`,
          {
            ...{ service, authUrl: via(authUrl), username: account.username, password: account.password, region },
            ...{ userDomainName: account.userDomain, projectId: account.projectId, imageEndpoint: via(imageUrl) },
          },
        ]),
      );
    },
    scenarios: via => [
      image("Image from a file", { source: { file: "disk.raw" } }),
      image("Image from a url", { source: { url: via(`${files}/disk.raw`) } }),
      image("Image copied from a url", { source: { url: via(`${files}/disk.raw`), mode: "import" } }),
      image("Image at a location", { location: `${files}/disk.raw` }),
      {
        title: "ImageMember",
        kind: "ImageMember",
        prepare,
        args: ({ made, on }) => ({
          ...{ service, connection: on("owner"), imageId: made.imageId, member: accounts.consumer.projectId },
        }),
        changed: ({ made, on }) => ({
          ...{ service, connection: on("owner"), imageId: made.imageId, member: accounts.consumer.projectId },
          canShare: true,
        }),
        world: async ({ made }) => await api.members(String(made.imageId)),
        clean,
      },
      {
        title: "ImageCopy to a connection",
        kind: "ImageCopy",
        prepare,
        args: ({ name, made, on }) => ({
          ...{ service, connection: on("owner"), imageId: made.imageId },
          to: { connection: on("consumer"), name: `${name} copy` },
        }),
        changed: ({ name, made, on }) => ({
          ...{ service, connection: on("owner"), imageId: made.imageId },
          to: { connection: on("consumer"), name: `${name} copy`, properties: { a: "b" } },
        }),
        world: world(theirs, " copy"),
        clean,
      },
    ],
  };
}
