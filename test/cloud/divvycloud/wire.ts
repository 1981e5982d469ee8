import { placeAttributes } from "./choices.ts";
import type { Cloud, Instance, PrivateImage, State } from "./state.ts";

/** What every resource carries. */
function common(state: State, resource: Instance | PrivateImage, type: string) {
  const cloud = state.clouds.find(it => it.id === resource.organization_service_id);
  return {
    resource_id: resource.resource_id,
    resource_name: resource.name,
    resource_type: type,
    cloud: cloud?.cloud_type_id,
    account: cloud?.name,
    account_id: cloud?.account_id,
    account_status: "DEFAULT",
    organization_service_id: resource.organization_service_id,
    availability_zone: null,
    region: resource.region_name,
    creation_timestamp: resource.created,
    discovered_timestamp: resource.created,
    modified_timestamp: resource.modified,
    namespace_id: null,
    noncompliance: [],
    properties: { property_list: [] },
    tags: resource.tags,
  };
}

/** A resource as queries and details have it: its type, and under the type's name what it is. */
export function wireResource(state: State, resource: Instance | PrivateImage) {
  if (!("image_id" in resource)) {
    const { instance_id, name, region_name } = resource;
    const attributes = { instance_id, name, region_name, state: "running" };
    return { resource_type: "instance", instance: placeAttributes(common(state, resource, "instance"), attributes) };
  }
  const { created, modified, tags, owner, deleting, ...attributes } = resource;
  return {
    resource_type: "privateimage",
    privateimage: placeAttributes(common(state, resource, "privateimage"), attributes),
  };
}

/** A cloud account as it is listed. */
export function wireCloud(cloud: Cloud) {
  const { id, name, cloud_type_id, account_id, creation_time } = cloud;
  const resource_id = `divvyorganizationservice:${id}`;
  return { id, name, resource_id, cloud_type_id, account_id, creation_time, status: "DEFAULT" };
}
