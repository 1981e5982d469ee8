import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A comment as it lies in the forge. */
export interface ForgeComment {
  id: number;
  body: string;
  /** Ours, or some outsider's. */
  ours: boolean;
}

/**
 * The comments of pull request 7 as GitHub and GitLab serve them, on loopback: 30 a page, whatever is asked for, so that a reader has to follow the
 * pages. Sources: docs.github.com/rest/issues/comments, docs.gitlab.com/api/notes.
 */
export interface ForgeServer {
  /** Of GitHub's API; GitLab's is at `${url}/api/v4`. */
  url: string;
  token: string;
  comments: ForgeComment[];
  requests: string[];
  stop(): Promise<void>;
}

const pageSize = 30;
const self = 4711;

export async function startForge(): Promise<ForgeServer> {
  const comments: ForgeComment[] = [];
  const requests: string[] = [];
  const token = "forge-token-0123456789";
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", url);
    requests.push(`${request.method} ${pathname}`);
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    const { authorization, "private-token": privateToken } = request.headers;
    const isGitLab = pathname.startsWith("/api/v4/");
    if (isGitLab ? privateToken !== token : authorization !== `Bearer ${token}`)
      return void send(401, { message: "Bad credentials" });
    if (request.method === "GET" && pathname === "/api/v4/user") return void send(200, { id: self });

    const wire = ({ id, body, ours }: ForgeComment) =>
      isGitLab
        ? { id, body, author: { id: ours ? self : 1 } }
        : {
            ...{ id, body, html_url: `https://forge.example/7#${id}`, user: { type: ours ? "Bot" : "User" } },
            author_association: "NONE",
          };
    const [, list, id] =
      /^\/(?:repos\/o\/r\/issues\/(?:7\/)?comments|api\/v4\/projects\/9\/merge_requests\/7\/(notes))(?:\/(\d+))?$/.exec(
        pathname,
      ) ?? [undefined, undefined, undefined];
    if (list === undefined && !pathname.startsWith("/repos/o/r/issues/"))
      return void send(404, { message: "Not Found" });
    if (request.method === "GET") {
      const page = Number(searchParams.get("page") ?? 1);
      const more = page * pageSize < comments.length ? String(page + 1) : "";
      const next = `<${url}${pathname}?per_page=${pageSize}&page=${more}>; rel="next"`;
      const headers = isGitLab ? { "x-next-page": more } : more === "" ? {} : { link: next };
      return void send(
        200,
        comments.slice((page - 1) * pageSize, page * pageSize).map(wire),
        headers as Record<string, string>,
      );
    }
    const { body } = JSON.parse(await textOf(request)) as { body: string };
    if (request.method === "POST") {
      const made = { id: 1000 + comments.length, body, ours: true };
      comments.push(made);
      return void send(201, wire(made));
    }
    const old = comments.find(comment => comment.id === Number(id));
    if (old === undefined || request.method !== (isGitLab ? "PUT" : "PATCH"))
      return void send(404, { message: "Not Found" });
    old.body = body;
    send(200, wire(old));
  }

  return {
    ...{ url, token, comments, requests },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
