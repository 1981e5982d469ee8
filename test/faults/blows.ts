import type { Answer, Fault } from "../../tools/recorder/faults.ts";
import type { Seen } from "./gate.ts";

/** How long nothing moves before the provider gives a try up, in these tests. */
export const stallSeconds = 2;
const stalledMs = stallSeconds * 1000 * 2;

/** One way in which a request can go wrong. */
export interface Blow {
  title: string;
  /** Whether such a request can go wrong in this way. Default: any can. */
  suits?: (request: Seen) => boolean;
  /** What the recorder does; undefined: the connection is refused. */
  fault: (() => Fault) | undefined;
  /** It doesn't end by itself. */
  lasting?: boolean;
}

const hasBody = ({ requestBytes }: Seen) => requestBytes > 0;
const isAnswered = ({ responseBytes, method }: Seen) => responseBytes > 0 && method !== "HEAD";
const isJson = (request: Seen) => isAnswered(request) && request.json;

const page = "<html><head><title>Sign in</title></head><body><h1>Welcome to the hotel</h1></body></html>";
const html = { "content-type": "text/html; charset=utf-8" };

function answers(status: number, headers: Record<string, string> = {}, body = `{"message": "no luck"}`): () => Fault {
  return () => ({ status, headers: { "content-type": "application/json", ...headers }, body });
}

function alters(change: (answer: Answer) => Partial<Answer>): () => Fault {
  return () => ({ alter: answer => ({ ...answer, ...change(answer) }) });
}

function half({ body }: Answer): Buffer {
  return body.subarray(0, Math.ceil(body.length / 2));
}

export const blows: readonly Blow[] = [
  { title: "refused", fault: undefined },
  { title: "reset", fault: () => ({ drop: "before" }) },
  { title: "cut in its body", suits: hasBody, fault: () => ({ drop: "during-body" }) },
  {
    title: "cut in the answer's body",
    suits: isAnswered,
    fault: alters(answer => ({
      body: half(answer),
      headers: { ...answer.headers, "content-length": String(answer.body.length) },
    })),
  },
  { title: "served, the answer lost", fault: () => ({ drop: "after" }) },
  { title: "stalled", fault: () => ({ delayMs: stalledMs }) },
  { title: "served, the answer stalled", fault: () => ({ after: true, delayMs: stalledMs }) },
  { title: "408", fault: answers(408) },
  { title: "425", fault: answers(425) },
  { title: "429 with seconds", fault: answers(429, { "retry-after": "1" }) },
  {
    title: "429 with a date",
    fault: () => answers(429, { "retry-after": new Date(Date.now() + 1000).toUTCString() })(),
  },
  { title: "500", fault: answers(500) },
  { title: "502", fault: answers(502, html, page) },
  { title: "503", fault: answers(503) },
  { title: "504", fault: answers(504, html, page) },
  { title: "served, and 504", fault: alters(() => ({ status: 504, headers: html, body: Buffer.from(page) })) },
  { title: "401", fault: answers(401) },
  { title: "HTML", suits: isJson, fault: answers(200, html, page) },
  {
    title: "truncated JSON",
    suits: isJson,
    fault: alters(answer => ({
      body: half(answer),
      headers: { ...answer.headers, "content-length": String(half(answer).length) },
    })),
  },
  {
    title: "a length too small",
    suits: isJson,
    fault: alters(answer => ({
      headers: { ...answer.headers, "content-length": String(answer.body.length - 7) },
    })),
  },
  { title: "503 for ever", fault: answers(503), lasting: true },
  { title: "reset for ever", fault: () => ({ drop: "before" }), lasting: true },
];
