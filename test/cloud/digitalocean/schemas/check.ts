import { readFile } from "node:fs/promises";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import type { Exchange, Finding } from "./exchange.ts";
import { answers, type Schema } from "./models.ts";
import { findOperation, operations } from "./operations.ts";

const ajv = addFormats.default(new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }));
const refusedTag: Schema = { anyOf: [answers.badTag, answers.error] };
const compiled = new Map<Schema, ValidateFunction>();

/** What is wrong with an exchange by the project's own schemas; nothing when all is well. */
export function checkExchange(exchange: Exchange): Finding[] {
  const url = new URL(exchange.path, "http://host");
  const operation = findOperation(operations, exchange.method, url.pathname);
  if (!operation) {
    const name = `${exchange.method} ${url.pathname}`;
    return exchange.status === 404 ? [] : [{ operation: name, part: "request", message: "is not an operation" }];
  }
  const findings: Finding[] = [];
  const check = (part: string, schema: Schema | undefined, value: unknown) => {
    const messages = schema
      ? violations(schema, value)
      : value === undefined
        ? []
        : ["a body where there is none to be"];
    findings.push(...messages.map(message => ({ operation: operation.name, part, message })));
  };
  const refused = exchange.status >= 400;
  // What the service refuses may well be against the schemas: that is then no finding.
  if (!refused) {
    check("query", operation.query, Object.fromEntries(url.searchParams));
    check("request", operation.body, exchange.body);
    if (exchange.status !== operation.status) {
      findings.push({
        operation: operation.name,
        part: "status",
        message: `${exchange.status}, not ${operation.status}`,
      });
    }
    check("answer", operation.answer, exchange.answer);
  } else {
    check("answer", operation.name === "tags_create" ? refusedTag : answers.error, exchange.answer);
  }
  for (const name of ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]) {
    if (!/^\d+$/.test(exchange.headers[name] ?? "")) {
      findings.push({ operation: operation.name, part: "headers", message: `${name} must be a number` });
    }
  }
  return findings;
}

/** The exchanges of a recording (the setting `recordTo`). */
export async function readExchanges(file: string): Promise<Exchange[]> {
  const lines = (await readFile(file, "utf8")).split("\n").filter(line => line !== "");
  return lines.map(line => JSON.parse(line) as Exchange);
}

function violations(schema: Schema, value: unknown): string[] {
  let validate = compiled.get(schema);
  if (!validate) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  return validate(value) ? [] : (validate.errors ?? []).map(explain);
}

/** An error of ajv in words: where, and what. */
export function explain(error: ErrorObject): string {
  const detail = Object.values(error.params).map(String).join(", ");
  return `${error.instancePath || "/"} ${error.message ?? ""} (${detail})`;
}
