import type { LocalCloud } from "./cloud.ts";
import type { Account } from "./openStackCloud.ts";

type Services = LocalCloud["services"];

/**
 * The settings of a connection to a service of a running local cloud, as they stand in `images:connections`.
 * @param account of those that the service has; DigitalOcean's sender is the owner, its recipient the consumer; DivvyCloud's outsider is
 *   the consumer, too; overseas is ECL's in another region
 */
export function connectionTo(
  services: Services,
  service: keyof Services,
  account: "owner" | "consumer" | "admin" | "overseas" = "owner",
): Record<string, unknown> {
  if (service === "digitalocean") {
    const { url, accounts } = services.digitalocean;
    const { token } = account === "owner" ? accounts.sender : accounts.recipient;
    return { service, token, endpoint: url };
  }
  if (service === "divvycloud") {
    const { url, admin, outsider } = services.divvycloud;
    return { service, url, apiKey: (account === "consumer" ? outsider : admin).apiKey };
  }
  const { authUrl, accounts } = services[service];
  const found = (accounts as Record<string, Account>)[account];
  if (found === undefined) throw new Error(`${service} has no account ${account}`);
  const { username, password, userDomain, projectId } = found;
  const region = account === "overseas" ? "jp2" : regionOf(services, service);
  return { service, authUrl, username, password, userDomainName: userDomain, projectId, region };
}

/** A connection for the owner's account of each service, by the service's name. */
export function ownerConnections(services: Services): Record<keyof Services, Record<string, unknown>> {
  const names = Object.keys(services) as (keyof Services)[];
  return Object.fromEntries(names.map(name => [name, connectionTo(services, name)])) as never;
}

function regionOf(services: Services, service: "openstack" | "ecl" | "istack" | "glance-v1"): string | undefined {
  if (service === "openstack") return services.openstack.regions[0]?.name;
  return service === "ecl" ? "jp1" : services[service].region;
}
