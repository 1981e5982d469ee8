import type { LocalCloud } from "../cloud/cloud.ts";
import type { Place, Scenario, Subject, Values } from "./place.ts";

interface Listed {
  privateimage: Values & { name: string };
}

/** Images of DivvyCloud. */
export function divvyCloudPlace(cloud: LocalCloud): Place {
  const service = "divvycloud";
  const { url, controlUrl, admin, clouds } = cloud.services[service];
  const instance = clouds.OPENSTACK?.instance as string;

  async function send(method: string, address: string, body?: unknown): Promise<Response> {
    const answer = await fetch(address, {
      method,
      headers: { "api-key": admin.apiKey, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${address} answered ${answer.status}`);
    return answer;
  }

  async function list(): Promise<Listed[]> {
    const found: Listed[] = [];
    for (;;) {
      const query = { selected_resource_type: "privateimage", scopes: [], filters: [], limit: 100, order_by: "" };
      const answer = await send("POST", `${url}/v2/public/resource/query`, { ...query, offset: found.length });
      const { resources } = (await answer.json()) as { resources: Listed[] };
      found.push(...resources);
      if (resources.length < 100) return found;
    }
  }

  const world = async ({ name, mark }: Subject): Promise<unknown> => {
    for (;;) {
      const images = (await list())
        .map(({ privateimage }) => privateimage)
        .filter(image => image.name.startsWith(name) || image.name.includes(mark));
      if (images.every(({ state }) => state === "available")) {
        return images.map(({ name, state, platform, description }) => ({ name, state, platform, description }));
      }
    }
  };

  const adopted: Scenario = {
    title: "Image adopted",
    kind: "Image",
    async prepare(name) {
      const answer = await send("POST", `${controlUrl}/images`, { name, cloud: "AWS" });
      return { imageId: ((await answer.json()) as { resource_id: string }).resource_id };
    },
    args: ({ name, made, on }) => ({ service, connection: on("key"), adopt: { id: made.imageId }, name }),
    changed: ({ name, made, on }) => ({
      ...{ service, connection: on("key"), adopt: { id: made.imageId }, name: `${name} changed` },
    }),
    world,
  };
  const made: Scenario = {
    title: "Image from an instance",
    kind: "Image",
    args: ({ name, on }) => ({ service, connection: on("login"), instance, name }),
    changed: ({ name, on }) => ({ service, connection: on("login"), instance, name: `${name} changed` }),
    world,
  };

  return {
    ...{ title: service, atOnce: 16 },
    targets: [url],
    async connections(via, key) {
      const { apiKey, username, password } = admin;
      return {
        [`key${key}`]: { service, url: via(url), apiKey },
        [`login${key}`]: { service, url: via(url), username, password },
      };
    },
    scenarios: () => [adopted, made],
  };
}
