import type { FastifyRequest } from "fastify";
import { unprocessable } from "./errors.ts";
import { base, query } from "./world.ts";

const DEFAULT_PER_PAGE = 20;
const MAX_PER_PAGE = 200;

/**
 * One page of a list, with `links` and `meta.total`, as the request's page and per_page ask.
 * The links lead to the request's own host: clients follow them verbatim.
 * @throws ApiError 422 when page or per_page is out of range (choice: no document says what the service does)
 */
export function paged<T>(
  request: FastifyRequest,
  key: string,
  items: T[],
  wire: (item: T) => unknown,
): Record<string, unknown> {
  const page = number(query(request).page, "page", 1, Number.MAX_SAFE_INTEGER);
  const perPage = number(query(request).per_page, "per_page", DEFAULT_PER_PAGE, MAX_PER_PAGE);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const link = (to: number) => {
    const url = new URL(request.url, base(request));
    url.searchParams.set("page", String(to));
    return url.href;
  };
  const pages = {
    ...(page > 1 && { first: link(1), prev: link(Math.min(page - 1, last)) }),
    ...(page < last && { next: link(page + 1), last: link(last) }),
  };
  return {
    [key]: items.slice((page - 1) * perPage, page * perPage).map(wire),
    links: Object.keys(pages).length ? { pages } : {},
    meta: { total: items.length },
  };
}

function number(text: string | undefined, name: string, otherwise: number, max: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw unprocessable(`${name} must be a number from 1 to ${max}.`);
  return value;
}
