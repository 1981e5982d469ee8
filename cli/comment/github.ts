import { apiClient } from "./api.ts";
import type { Comment, Forge } from "./forge.ts";

/** A comment as GitHub has it. Source: docs.github.com/rest/issues/comments. */
interface Wire {
  id: number;
  body?: string;
  html_url: string;
  user: { type: string } | null;
  author_association: string;
}

/** Comments of a pull request on GitHub, which are those of an issue of the same number. */
export function github(place: {
  url: string;
  repository: string;
  number: string;
  token: string;
  caFile?: string | undefined;
}): Forge {
  const client = apiClient(place, {
    authorization: `Bearer ${place.token}`,
    accept: "application/vnd.github+json",
    "x-github-api-version": "2022-11-28",
  });
  const comments = `repos/${place.repository}/issues/${place.number}/comments`;
  const one = ({ id }: Comment) => `repos/${place.repository}/issues/comments/${id}`;
  return {
    async find(beginning) {
      const all = client.paginate<Wire>(comments, { searchParams: { per_page: 100 } });
      for await (const wire of all) if (isOurs(wire) && wire.body?.startsWith(beginning)) return comment(wire);
      return undefined;
    },
    create: async body => comment(await client.post(comments, { json: { body } }).json<Wire>()),
    update: async (old, body) => comment(await client.patch(one(old), { json: { body } }).json<Wire>()),
  };
}

/** Anybody can write the marker into a comment of theirs, and could edit it once the findings are in it. */
function isOurs({ user, author_association: association }: Wire): boolean {
  return user?.type === "Bot" || ["OWNER", "MEMBER", "COLLABORATOR"].includes(association);
}

function comment({ id, body = "", html_url: url }: Wire): Comment {
  return { id, body, url };
}
