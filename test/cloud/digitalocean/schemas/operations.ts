import { answers, queries, requests, type Schema } from "./models.ts";

/** One operation of DigitalOcean's API: what may be asked, and what is answered when it works. */
export interface Operation {
  /** The vendor's operationId. */
  name: string;
  method: string;
  /** Path with {parameters}. */
  path: string;
  query: Schema;
  /** The request's body; without it there must be none. */
  body?: Schema;
  /** Status of success. */
  status: number;
  /** The answer's body; without it there is none. */
  answer?: Schema;
}

const { none, page } = queries;
const operation = (
  name: string,
  request: string,
  status: number,
  parts: { query?: Schema; body?: Schema; answer?: Schema },
): Operation => {
  const [method = "", path = ""] = request.split(" ");
  return { name, method, path, status, query: none, ...parts };
};

/** The operations about images, and the account that they are of: all that the project uses, and the rest of the vendor's list. */
export const operations: readonly Operation[] = [
  operation("images_list", "GET /v2/images", 200, { query: queries.images, answer: answers.images }),
  operation("images_create_custom", "POST /v2/images", 202, { body: requests.newImage, answer: answers.newImage }),
  operation("images_get", "GET /v2/images/{image_id}", 200, { answer: answers.image }),
  operation("images_update", "PUT /v2/images/{image_id}", 200, { body: requests.imageUpdate, answer: answers.image }),
  operation("images_delete", "DELETE /v2/images/{image_id}", 204, {}),
  operation("imageActions_list", "GET /v2/images/{image_id}/actions", 200, { query: page, answer: answers.actions }),
  operation("imageActions_post", "POST /v2/images/{image_id}/actions", 201, {
    body: requests.imageAction,
    answer: answers.action,
  }),
  operation("imageActions_get", "GET /v2/images/{image_id}/actions/{action_id}", 200, { answer: answers.action }),
  operation("images_post_account_transfer_create", "POST /v2/images/{image_id}/account_transfer", 201, {
    body: requests.accountTransfer,
    answer: answers.transfer,
  }),
  operation("images_post_account_transfer_accept", "POST /v2/images/{image_id}/account_transfer/accept", 201, {
    body: requests.transferAccept,
  }),
  operation("images_post_account_transfer_cancel", "POST /v2/images/{image_id}/account_transfer/cancel", 204, {
    body: requests.transferEnd,
  }),
  operation("images_post_account_transfer_decline", "POST /v2/images/{image_id}/account_transfer/decline", 204, {
    body: requests.transferEnd,
  }),
  operation("tags_list", "GET /v2/tags", 200, { query: page, answer: answers.tags }),
  operation("tags_create", "POST /v2/tags", 201, { body: requests.tag, answer: answers.tag }),
  operation("tags_get", "GET /v2/tags/{tag_id}", 200, { answer: answers.tag }),
  operation("tags_delete", "DELETE /v2/tags/{tag_id}", 204, {}),
  operation("tags_assign_resources", "POST /v2/tags/{tag_id}/resources", 204, { body: requests.tagResources }),
  operation("tags_unassign_resources", "DELETE /v2/tags/{tag_id}/resources", 204, { body: requests.tagResources }),
  operation("snapshots_list", "GET /v2/snapshots", 200, { query: queries.snapshots, answer: answers.snapshots }),
  operation("snapshots_get", "GET /v2/snapshots/{snapshot_id}", 200, { answer: answers.snapshot }),
  operation("snapshots_delete", "DELETE /v2/snapshots/{snapshot_id}", 204, {}),
  operation("dropletActions_list", "GET /v2/droplets/{droplet_id}/actions", 200, {
    query: page,
    answer: answers.actions,
  }),
  operation("dropletActions_post", "POST /v2/droplets/{droplet_id}/actions", 201, {
    body: requests.dropletAction,
    answer: answers.action,
  }),
  operation("dropletActions_get", "GET /v2/droplets/{droplet_id}/actions/{action_id}", 200, { answer: answers.action }),
  operation("droplets_list_snapshots", "GET /v2/droplets/{droplet_id}/snapshots", 200, {
    query: page,
    answer: answers.dropletSnapshots,
  }),
  operation("droplets_list_backups", "GET /v2/droplets/{droplet_id}/backups", 200, {
    query: page,
    answer: answers.dropletBackups,
  }),
  operation("actions_list", "GET /v2/actions", 200, { query: page, answer: answers.actions }),
  operation("actions_get", "GET /v2/actions/{action_id}", 200, { answer: answers.action }),
  operation("get_user_information", "GET /v2/account", 200, { answer: answers.account }),
  operation("regions_list", "GET /v2/regions", 200, { query: page, answer: answers.regions }),
];

/** Finds what a request is for. Of two paths that fit, the one with fewer parameters is meant. */
export function findOperation<T extends { method: string; path: string }>(
  all: readonly T[],
  method: string,
  path: string,
): T | undefined {
  const wanted = path.replace(/\/$/, "").split("/");
  const fits = all.filter(it => {
    const parts = it.path.split("/");
    return (
      it.method === method &&
      parts.length === wanted.length &&
      parts.every((part, index) => part.startsWith("{") || part === wanted[index])
    );
  });
  return fits.sort((a, b) => a.path.split("{").length - b.path.split("{").length)[0];
}
