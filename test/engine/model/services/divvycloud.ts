import type { Bench } from "./bench.ts";
import type { ModelService, TrueImage } from "./service.ts";
import { whole } from "./whole.ts";

interface WireImage {
  name: string;
  state: string;
  common: { resource_id: string; organization_service_id: number };
}

/** Clouds behind DivvyCloud whose instances can be made into images. */
const clouds = ["OPENSTACK", "GCE"];

/** DivvyCloud's private images, made from instances; the data's number chooses the instance. */
export async function divvyCloudService(bench: Bench): Promise<ModelService> {
  const { url, controlUrl, admin, clouds: known } = bench.services.divvycloud;
  const gated = await bench.gate.through(url);
  const instanceOf = (data: number) => known[clouds[data % clouds.length] ?? ""]?.instance;
  const send = async (method: string, path: string, body: unknown) => {
    const answer = await fetch(path, {
      method,
      headers: { "api-key": admin.apiKey, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (answer.status >= 400) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const given = new Set((await list()).map(({ id }) => id));

  async function list(): Promise<TrueImage[]> {
    const query = { selected_resource_type: "privateimage", scopes: [], filters: [], offset: 0, limit: 100 };
    const found = await send("POST", `${url}/v2/public/resource/query`, {
      ...query,
      ...{ order_by: "", tags: [], badges: [] },
    });
    const images = (found.resources as { privateimage: WireImage }[]).map(({ privateimage }) => privateimage);
    return await Promise.all(images.map(async image => trueImage(image, await notes(image))));
  }

  async function notes({ common }: WireImage): Promise<string[]> {
    const path = `${url}/v2/public/resource/${encodeURIComponent(common.resource_id)}/notes/list`;
    const found = (await send("POST", path, {}).catch(() => ({ notes: [] }))) as { notes?: { note_text: string }[] };
    return (found.notes ?? []).map(({ note_text }) => note_text);
  }

  const control = (id: string) => `${controlUrl}/images/${encodeURIComponent(id)}`;

  return {
    name: "divvycloud",
    kinds: ["Image"],
    accounts: false,
    connection: async () => ({ service: "divvycloud", url: gated, apiKey: admin.apiKey }),
    imageArgs: ({ name, data, fields }) => ({ name: `${name} ${fields}`, instance: instanceOf(data) }),
    adoptArgs: ({ fields }) => ({ name: `adopted ${fields}` }),
    differs: (image, { name, fields }) =>
      image.name === `${name} ${fields}` ? [] : [`its name is ${image.name}, not ${name} ${fields}`],
    tagArgs: () => ({}),
    memberArgs: () => ({}),
    copyArgs: () => ({}),
    partOf: () => "",
    digestOf: () => undefined,
    async truth() {
      return new Map((await list()).filter(({ id }) => !given.has(id)).map(image => [image.id, image]));
    },
    async remove(image) {
      await fetch(control(image.id), { method: "DELETE" });
    },
    async rename(image, name) {
      await send("PATCH", control(image.id), { name });
    },
    async retag(image, tag) {
      // Notes can't be taken away, and the last one counts.
      if (tag === undefined) return;
      const text = `Managed by pulumi-images: resource ${tag}, stack ${tag}, since ${new Date().toISOString()}`;
      await send("POST", `${url}/v2/public/resource/${encodeURIComponent(image.id)}/notes/create`, { note_text: text });
    },
    async make(_account, name) {
      return (await send("POST", `${controlUrl}/images`, { name, cloud: "OPENSTACK", state: "available" })).resource_id;
    },
    async clear() {
      for (const { id } of (await list()).filter(image => !given.has(image.id)))
        await fetch(control(id), { method: "DELETE" });
    },
  };
}

function trueImage(image: WireImage, notes: string[]): TrueImage {
  const found = notes.flatMap(note => {
    const [, resource, stack] = /^Managed by pulumi-images: resource (\w+), stack (\w+)/.exec(note) ?? [];
    return resource === undefined ? [] : [{ resource, stack }];
  });
  const unfinished = /^pulumi-images-(\w{32})/.exec(image.name);
  return {
    ...{ id: image.common.resource_id, account: "", name: image.name },
    ...{ ownerTag: found.at(-1)?.resource ?? unfinished?.[1], stackTag: found.at(-1)?.stack },
    finished: image.state === "available" && unfinished === null,
    busy: image.state === "pending",
    ...{ tags: [], members: [], places: [] },
    whole: whole({ ...image, notes }),
  };
}
