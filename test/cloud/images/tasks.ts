import type { ImageApi } from "./api.ts";
import { isoTime } from "./api.ts";
import { HttpError } from "./errors.ts";
import type { Caller, Task } from "./state.ts";

/** The time as a database row has it: to the microsecond, without a zone. */
const rowTime = (ms: number) => {
  const micros = Math.round((ms % 1) * 1000)
    .toString()
    .padStart(3, "0");
  return new Date(Math.floor(ms)).toISOString().replace("Z", micros);
};

/** A task as GET /v2/images/{id}/tasks shows it: the row itself. */
export const imageTaskView = (task: Task) => ({
  id: task.id,
  type: task.type,
  status: task.status,
  owner: task.owner,
  user_id: task.user_id,
  image_id: task.image_id,
  request_id: task.request_id,
  expires_at: task.expires_at === null ? null : rowTime(task.expires_at),
  created_at: rowTime(task.created_at),
  updated_at: rowTime(task.updated_at),
  deleted_at: null,
  deleted: false,
  input: task.input,
  result: task.result,
  message: task.message,
});

/** A task as GET /v2/tasks shows it. */
const stubView = (task: Task) => ({
  id: task.id,
  type: task.type,
  status: task.status,
  owner: task.owner,
  ...(task.expires_at !== null && { expires_at: isoTime(task.expires_at) }),
  created_at: isoTime(task.created_at),
  updated_at: isoTime(task.updated_at),
  self: `/v2/tasks/${task.id}`,
  schema: "/v2/schemas/task",
});

/** A task as GET /v2/tasks/{id} shows it. */
const wholeView = (task: Task) => ({
  ...stubView(task),
  user_id: task.user_id,
  image_id: task.image_id,
  request_id: task.request_id,
  input: task.input,
  result: task.result,
  message: task.message,
});

/** @throws HttpError 404 for an image that the caller may not see */
export function tasksOfImage(api: ImageApi, caller: Caller, id: string): Task[] {
  const image = api.repo.state.images[id];
  if (!image || !api.repo.visible(image, caller)) throw new HttpError(404);
  return Object.values(api.repo.state.tasks)
    .filter(task => task.image_id === id)
    .sort((a, b) => a.created_at - b.created_at);
}

/** GET /v2/tasks: newest first. @throws HttpError 403 unless an admin asks */
export function listTasks(api: ImageApi, caller: Caller, query: URLSearchParams) {
  mustBeAdmin(caller);
  const limit = Math.min(Number(query.get("limit") ?? api.settings.defaultPageSize), api.settings.maxPageSize);
  const marker = query.get("marker");
  const all = Object.values(api.repo.state.tasks)
    .filter(task =>
      ["status", "type", "owner"].every(key => !query.has(key) || query.get(key) === task[key as keyof Task]),
    )
    .sort((a, b) => b.created_at - a.created_at);
  const from = marker === null ? 0 : all.findIndex(({ id }) => id === marker) + 1;
  if (marker !== null && from === 0) throw new HttpError(400, `No task found with ID ${marker}`);
  const page = all.slice(from, from + limit);
  const last = page.at(-1);
  const links = new URLSearchParams(query);
  links.delete("marker");
  const address = (params: URLSearchParams) => (params.size ? `/v2/tasks?${params}` : "/v2/tasks");
  return {
    tasks: page.map(stubView),
    first: address(links),
    schema: "/v2/schemas/tasks",
    ...(last && page.length === limit && { next: address(new URLSearchParams([...links, ["marker", last.id]])) }),
  };
}

/** GET /v2/tasks/{id}. @throws HttpError 403 unless an admin asks, 404 */
export function getTask(api: ImageApi, caller: Caller, id: string): Record<string, unknown> {
  mustBeAdmin(caller);
  const task = api.repo.state.tasks[id];
  if (!task) throw new HttpError(404, `Could not find task ${id}`);
  return wholeView(task);
}

function mustBeAdmin(caller: Caller): void {
  if (!caller.isAdmin) throw new HttpError(403, "You are not authorized to complete tasks_api_access action.");
}

/** POST /v2/tasks: the old way to import, which is an admin's and gone here. @throws HttpError always */
export function refuseTask(caller: Caller): never {
  mustBeAdmin(caller);
  throw new HttpError(400, "Tasks can't be made by hand here: use POST /v2/images/{id}/import.");
}

/** DELETE /v2/tasks/{id}: tasks go by themselves, when they expire. @throws HttpError always */
export function refuseTaskDelete(caller: Caller): never {
  mustBeAdmin(caller);
  throw new HttpError(405, {
    explanation:
      "This operation is currently not permitted on Glance Tasks. They are auto deleted after reaching the time based on their expires_at property.",
    headers: { allow: "GET" },
  });
}
