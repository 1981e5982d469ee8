import type { LocalCloud } from "../cloud/cloud.ts";
import { type Answer, client } from "../cloud/digitalocean/exercise.ts";
import type { Place, Scenario, Subject, Values } from "./place.ts";

interface Served extends Values {
  id: number;
  name: string;
  tags: string[];
  regions: string[];
}

/** Images, transfers, tags and copies of DigitalOcean. */
export function digitalOceanPlace(cloud: LocalCloud, files: string): Place {
  const service = "digitalocean";
  const { url, accounts, controlUrl } = cloud.services[service];
  const api = client(url, accounts.sender.token);
  const theirs = client(url, accounts.recipient.token);
  const control = client(controlUrl);

  async function done(answer: Promise<Answer>): Promise<Answer["body"]> {
    const { status, body } = await answer;
    if (status >= 400) throw new Error(`DigitalOcean answered ${status}: ${JSON.stringify(body)}`);
    return body;
  }
  const droplet = async (name: string): Promise<Values> => {
    const { id } = await done(control("POST", "/sender/droplets", { name }));
    return { dropletId: id };
  };
  const noDroplet = async ({ made }: Subject): Promise<void> => {
    await done(control("DELETE", `/droplets/${String(made.dropletId)}`));
  };
  /** Tags outlive their images, and only what is left of the provider's own is of interest. */
  const noTags = async ({ name }: Subject, ...tags: string[]): Promise<void> => {
    for (const tag of tags) await api("DELETE", `/v2/tags/${name}-${tag}`);
  };
  const backup = async (name: string): Promise<Values> => {
    const { dropletId } = await droplet(name);
    return { dropletId, imageId: (await done(control("POST", `/droplets/${String(dropletId)}/backups`, { name }))).id };
  };
  /** A snapshot, which can be transferred and is in one region. */
  const snapshot = async (name: string): Promise<Values> => {
    const made = await backup(name);
    await done(api("POST", `/v2/images/${String(made.imageId)}/actions`, { type: "convert" }));
    while ((await list(api, "snapshot")).every(({ id }) => id !== made.imageId)) await settle();
    return made;
  };
  const clean = async (subject: Subject): Promise<void> => {
    const { made } = subject;
    // It may be the recipient's by now.
    await Promise.all([api, theirs].map(account => account("DELETE", `/v2/images/${String(made.imageId)}`)));
    await noDroplet(subject);
  };
  const settle = () => new Promise(resolve => setTimeout(resolve, 10));
  const list = async (account: typeof api, type?: string): Promise<Served[]> =>
    (await done(account("GET", "/v2/images?private=true&per_page=200"))).images.filter(
      (image: Served) => type === undefined || image.type === type,
    );
  const ofAccount = async (account: typeof api, { name, made, mark }: Subject): Promise<unknown[]> =>
    (await list(account))
      .filter(({ id, ...image }) => image.name.startsWith(name) || image.name.includes(mark) || id === made.imageId)
      .map(({ id: _, created_at: __, tags, ...image }) => ({
        ...image,
        regions: image.regions.toSorted(),
        tags: tags.filter(tag => !tag.startsWith("pulumi-images:")).sort(),
        marks: tags.filter(tag => tag.startsWith("pulumi-images:")).length,
      }));
  const world = async (subject: Subject) => ({
    sender: await ofAccount(api, subject),
    recipient: await ofAccount(theirs, subject),
    marks: (await done(api("GET", "/v2/tags?per_page=200"))).tags
      .map((tag: { name: string }) => tag.name)
      .filter((tag: string) => tag.includes(subject.mark)).length,
  });

  const image = (title: string, args: (subject: Subject) => Values, more: Partial<Scenario> = {}): Scenario => ({
    title,
    kind: "Image",
    args: subject => ({
      ...{ service, connection: subject.on("sender"), name: subject.name, tags: [`${subject.name}-one`] },
      ...args(subject),
    }),
    changed: subject => ({
      ...{ service, connection: subject.on("sender"), name: `${subject.name} changed` },
      tags: [`${subject.name}-one`, `${subject.name}-two`],
      ...args(subject),
      regions: ["nyc3", "ams3"],
    }),
    world,
    ...more,
    clean: async subject => {
      await more.clean?.(subject);
      await noTags(subject, "one", "two");
    },
  });

  return {
    ...{ title: service, atOnce: 16 },
    targets: [url, files].map(address => new URL(address).origin),
    async connections(via, key) {
      // Each has a token of its own: the provider keeps the rate limit of each token.
      const named = async (account: "sender" | "recipient"): Promise<[string, Values]> => {
        const { token } = await done(control("POST", `/${account}/tokens`));
        return [`${account}${key}`, { service, token, endpoint: via(url) }];
      };
      return Object.fromEntries(await Promise.all([named("sender"), named("recipient")]));
    },
    scenarios: via => [
      image("Image from a url", ({ name }) => ({
        ...{ regions: ["nyc3"], source: { url: via(`${files}/disk.raw`) }, description: name },
      })),
      image("Image from a droplet", ({ made }) => ({ dropletId: String(made.dropletId) }), {
        prepare: droplet,
        clean: noDroplet,
      }),
      image("Image from a backup", ({ made }) => ({ backupId: String(made.imageId) }), {
        prepare: backup,
        clean: noDroplet,
      }),
      {
        title: "ImageMember",
        kind: "ImageMember",
        prepare: snapshot,
        args: ({ made, on }) => ({
          ...{ service, connection: on("sender"), imageId: String(made.imageId) },
          recipientUuid: accounts.recipient.uuid,
        }),
        changed: ({ made, on }) => ({
          ...{ service, connection: on("sender"), imageId: String(made.imageId) },
          ...{ recipientUuid: accounts.recipient.uuid, accept: { connection: on("recipient") } },
        }),
        world,
        clean,
        byHand: {
          after: /Look for the offer in the control panel, cancel it there if it was made/,
          work: async ({ made }) => {
            await done(control("DELETE", `/images/${String(made.imageId)}/transfers`));
          },
        },
      },
      {
        title: "ImageTag",
        kind: "ImageTag",
        prepare: snapshot,
        args: ({ name, made, on }) => ({
          ...{ service, connection: on("sender"), imageId: String(made.imageId), tag: `${name}-golden` },
        }),
        world,
        clean: async subject => {
          await clean(subject);
          await noTags(subject, "golden");
        },
      },
      {
        title: "ImageCopy to regions",
        kind: "ImageCopy",
        prepare: snapshot,
        args: ({ made, on }) => ({
          ...{ service, connection: on("sender"), imageId: String(made.imageId), to: { regions: ["ams3"] } },
        }),
        changed: ({ made, on }) => ({
          ...{ service, connection: on("sender"), imageId: String(made.imageId), to: { regions: ["ams3", "fra1"] } },
        }),
        world,
        clean,
      },
    ],
  };
}
