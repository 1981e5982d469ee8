import { connectionOf, onEachCloud } from "../../openstack/clouds.ts";
import { type FileServer, startFileServer } from "../../support/fileServer.ts";
import { type Declared, Stack } from "../stack.ts";
import { writeDisks } from "./data.ts";
import { type Case, describeDrifts } from "./drifting.ts";
import { drifts, memberDrifts, type Place, quiet, sourceOfCopies, stateDrifts } from "./glance.ts";

const service = "openstack";

onEachCloud("Drift", cloud => {
  let place: Place;
  let files: FileServer;
  before(async () => {
    files = await startFileServer();
    const { accounts } = cloud();
    place = {
      ...{ service, owner: await cloud().as("owner"), consumer: await cloud().as("consumer"), files },
      ...{ consumerId: accounts.consumer.projectId, strangerId: accounts.admin.projectId },
      tamper: (id, values) => cloud().tamper(id, values),
    };
  });
  after(() => files.stop());

  describeDrifts(service, {
    async newStack() {
      const { accounts } = cloud();
      const connections = Object.fromEntries(
        Object.entries(accounts).map(([name, account]) => [name, connectionOf(cloud(), account)]),
      );
      return await writeDisks(await Stack.create({ project: "drift", config: { "images:connections": connections } }));
    },
    others: () => sourceOfCopies(service),
    writes: { forget: () => cloud().forget(), list: () => cloud().writes() },
    cases: stack => ({ ...drifts(place, stack), ...memberDrifts(place), ...stateDrifts(place), ...own() }),
    quiet: () => quiet(place),
  });

  /** What only a Glance with several stores has. */
  function own(): Record<string, Case> {
    const image = (name: string, args: Record<string, unknown>): Declared => ({
      kind: "Image",
      name,
      args: { service, connection: "owner", name, ...args },
    });
    const data = { diskFormat: "raw", containerFormat: "bare", source: { file: "disk.raw" } };
    const lose = async (id: string) => await (await cloud().as("admin")).send("DELETE", `/v2/stores/slow/${id}`);
    return {
      "Image hidden": {
        declared: name => [image(name, { hidden: false })],
        drift: ({ id }) => place.owner.set(id, { os_hidden: true }),
        shows: { hidden: [false, true] },
        means: ["metadata"],
      },
      "Image lost from a store": {
        declared: name => [image(name, { ...data, stores: ["slow", "fast"] })],
        drift: ({ id }) => lose(id),
        shows: { stores: [["slow", "fast"], ["fast"]] },
        means: ["availability"],
      },
      "ImageCopy lost from a store": {
        declared: name => [
          image("in stores", data),
          {
            kind: "ImageCopy",
            name,
            args: { service, connection: "owner", imageId: { $output: "in stores.id" }, to: { stores: ["slow"] } },
          },
        ],
        drift: ({ idOf }) => lose(idOf("in stores")),
        shows: { stores: [["slow"], []] },
        means: ["availability"],
      },
    };
  }
});
