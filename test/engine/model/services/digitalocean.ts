import { client, type Send } from "../../../cloud/digitalocean/exercise.ts";
import { sha256 } from "../../../support/disk.ts";
import type { Kind } from "../provider.ts";
import type { Bench } from "./bench.ts";
import type { Account, ModelService, TrueImage } from "./service.ts";
import { whole } from "./whole.ts";

const prefix = "pulumi-images:";
const regions = ["ams3", "fra1"];

interface WireImage {
  id: number;
  name: string;
  status: string;
  description: string;
  tags: string[];
  regions: string[];
}

/** DigitalOcean's custom images. */
export async function digitalOceanService(bench: Bench): Promise<ModelService> {
  const { url, accounts } = bench.services.digitalocean;
  const ids: Record<Account, string> = { owner: accounts.sender.uuid, consumer: accounts.recipient.uuid };
  const sends: Record<Account, Send> = {
    owner: client(url, accounts.sender.token),
    consumer: client(url, accounts.recipient.token),
  };
  const sendOf = (image: TrueImage) => sends[image.account === ids.owner ? "owner" : "consumer"];
  const gated = await bench.gate.through(url);
  /** What is there without anybody's doing. */
  const given = new Set<string>();
  for (const account of ["owner", "consumer"] as const) for (const { id } of await truthOf(account)) given.add(id);

  async function truthOf(account: Account): Promise<TrueImage[]> {
    const { body } = await sends[account]("GET", "/v2/images?private=true&per_page=200");
    return (body.images as WireImage[])
      .filter(({ id, status }) => status !== "deleted" && !given.has(String(id)))
      .map(image => trueImage(image, ids[account], bench));
  }

  return {
    name: "digitalocean",
    kinds: ["Image", "ImageTag", "ImageCopy"],
    accounts: true,
    lasting: ["ImageCopy"],
    async connection(account) {
      const { token } = account === "owner" ? accounts.sender : accounts.recipient;
      return { service: "digitalocean", token, endpoint: gated };
    },
    imageArgs: ({ name, data, fields }) => ({
      ...{ name, source: { url: bench.diskUrl(data) }, distribution: "Debian" },
      ...{ description: `fields ${fields}`, regions: ["nyc3"] },
    }),
    adoptArgs: ({ fields }) => ({ description: `fields ${fields}` }),
    differs(image, { name, fields }) {
      const real = JSON.parse(image.whole) as WireImage;
      return [
        ...(real.name === name ? [] : [`its name is ${real.name}, not ${name}`]),
        ...(real.description === `fields ${fields}` ? [] : [`its description is ${real.description}, not ${fields}`]),
      ];
    },
    tagArgs: tag => ({ tag: `tag-${tag}` }),
    memberArgs: () => ({}),
    copyArgs: place => ({ to: { regions: [regions[place]] } }),
    partOf: (kind: Kind, args) =>
      kind === "ImageTag" ? String(args.tag) : String((args.to as { regions: string[] }).regions[0]),
    digestOf: data => sha256(bench.disks[data] as Buffer),
    async truth() {
      const all = await Promise.all([truthOf("owner"), truthOf("consumer")]);
      return new Map(all.flat().map(image => [image.id, image]));
    },
    async remove(image) {
      await sendOf(image)("DELETE", `/v2/images/${image.id}`);
    },
    async rename(image, name) {
      await sendOf(image)("PUT", `/v2/images/${image.id}`, { name });
    },
    async retag(image, tag) {
      const send = sendOf(image);
      const resources = [{ resource_id: image.id, resource_type: "image" }];
      for (const own of (JSON.parse(image.whole) as WireImage).tags.filter(name => name.startsWith(prefix)))
        await send("DELETE", `/v2/tags/${own}/resources`, { resources });
      if (tag === undefined) return;
      const name = `${prefix}${tag}:${"e".repeat(16)}`;
      await send("POST", "/v2/tags", { name });
      await send("POST", `/v2/tags/${name}/resources`, { resources });
    },
    async make(account, name) {
      const body = { name, url: bench.diskUrl(0), region: "nyc3", distribution: "Debian", description: "" };
      const { id } = (await sends[account]("POST", "/v2/images", body)).body.image;
      while ((await sends[account]("GET", `/v2/images/${id}`)).body.image.status !== "available");
      return String(id);
    },
    async clear() {
      for (const account of ["owner", "consumer"] as const) {
        for (const { id } of await truthOf(account)) await sends[account]("DELETE", `/v2/images/${id}`);
        const { tags } = (await sends[account]("GET", "/v2/tags?per_page=200")).body as { tags: { name: string }[] };
        for (const { name } of tags) await sends[account]("DELETE", `/v2/tags/${name}`);
      }
    },
  };
}

function trueImage(image: WireImage, account: string, bench: Bench): TrueImage {
  const id = String(image.id);
  const marks = image.tags.filter(tag => tag.startsWith(prefix)).map(tag => tag.split(":"));
  const [, ownerTag] = marks[0] ?? [];
  const stackTag = marks.map(([, , , stack]) => stack).find(stack => stack !== undefined);
  const kept = bench.local?.kept(id) as { sha256?: string } | undefined;
  return {
    ...{ id, account, name: image.name, ownerTag, stackTag, digest: kept?.sha256 },
    finished: image.status === "available" && !marks.some(([, , content]) => content === "unfinished"),
    busy: image.status !== "available",
    tags: image.tags.filter(tag => !tag.startsWith(prefix)).sort(),
    members: [],
    places: image.regions.filter(region => regions.includes(region)),
    whole: whole(image),
  };
}
