import type { Lived } from "../lives.ts";
import type { Bench } from "./bench.ts";
import { digitalOceanService } from "./digitalocean.ts";
import { divvyCloudService } from "./divvycloud.ts";
import { glanceService, glanceV1Service } from "./glance.ts";

/** The service of a bench, and the ids of its two projects. */
export async function openService(bench: Bench): Promise<Pick<Lived, "service" | "ids">> {
  switch (bench.service) {
    case "openstack":
    case "ecl":
    case "istack": {
      const { owner, consumer } = bench.services[bench.service].accounts;
      return { service: await glanceService(bench), ids: { owner: owner.projectId, consumer: consumer.projectId } };
    }
    case "glance-v1": {
      const { owner, consumer } = bench.services["glance-v1"].accounts;
      return { service: await glanceV1Service(bench), ids: { owner: owner.projectId, consumer: consumer.projectId } };
    }
    case "digitalocean": {
      const { sender, recipient } = bench.services.digitalocean.accounts;
      return { service: await digitalOceanService(bench), ids: { owner: sender.uuid, consumer: recipient.uuid } };
    }
    case "divvycloud":
      return { service: await divvyCloudService(bench), ids: { owner: "", consumer: "" } };
    default:
      throw new Error(`there is no model of ${bench.service}`);
  }
}
