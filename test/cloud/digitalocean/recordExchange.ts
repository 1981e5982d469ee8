import { appendFileSync } from "node:fs";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Exchange } from "./schemas/exchange.ts";

/** Appends an exchange to a file of JSON lines. Synchronously: who has the answer finds the line. */
export function recordExchange(file: string, request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
  const exchange: Exchange = {
    method: request.method,
    path: request.url,
    status: reply.statusCode,
    headers: Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)])),
    ...(request.body !== undefined && { body: request.body }),
    ...(typeof payload === "string" && payload !== "" && { answer: JSON.parse(payload) }),
  };
  appendFileSync(file, `${JSON.stringify(exchange)}\n`);
}
