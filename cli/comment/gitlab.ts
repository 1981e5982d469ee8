import { apiClient } from "./api.ts";
import type { Comment, Forge } from "./forge.ts";

/** A note as GitLab has it. Source: docs.gitlab.com/api/notes. */
interface Wire {
  id: number;
  body: string;
  author: { id: number };
}

/** Notes of a merge request on GitLab. */
export function gitlab(place: {
  url: string;
  project: string;
  number: string;
  token: string;
  caFile?: string | undefined;
}): Forge {
  const client = apiClient(place, { "private-token": place.token });
  const notes = `projects/${encodeURIComponent(place.project)}/merge_requests/${place.number}/notes`;
  return {
    async find(beginning) {
      // Anybody can write the marker into a note of theirs; only our own can be changed.
      const { id: self } = await client.get("user").json<{ id: number }>();
      const all = client.paginate<Wire>(notes, {
        searchParams: { per_page: 100, sort: "asc" },
        pagination: {
          paginate: ({ response }) => {
            const page = response.headers["x-next-page"];
            return typeof page === "string" && page !== ""
              ? { searchParams: { per_page: 100, sort: "asc", page } }
              : false;
          },
        },
      });
      for await (const { id, body, author } of all)
        if (author.id === self && body.startsWith(beginning)) return { id, body };
      return undefined;
    },
    create: async body => comment(await client.post(notes, { json: { body } }).json<Wire>()),
    update: async ({ id }, body) => comment(await client.put(`${notes}/${id}`, { json: { body } }).json<Wire>()),
  };
}

function comment({ id, body }: Wire): Comment {
  return { id, body };
}
