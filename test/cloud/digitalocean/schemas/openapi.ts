import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { explain } from "./check.ts";
import type { Exchange, Finding } from "./exchange.ts";
import { findOperation } from "./operations.ts";

type Json = Record<string, unknown>;

/** An OpenAPI 3.0 description in JSON, as far as it is looked at here. */
export interface Description {
  paths: Record<string, Record<string, OperationObject>>;
  components?: Record<string, Json>;
}

interface OperationObject {
  operationId: string;
  parameters?: Json[];
  requestBody?: Json;
  responses: Record<string, Json>;
}

/** A finding, and where it is a fault of the description that is known, which. */
export interface ApiFinding extends Finding {
  known?: string;
}

/** A description that exchanges can be checked against. */
export interface Api {
  /** All operationIds. */
  operations: string[];
  check(exchange: Exchange): { operation?: string; findings: ApiFinding[] };
  /** Checks the description's own examples of answers against its schemas. */
  checkExamples(): ApiFinding[];
}

/** Faults of DigitalOcean's own description that are known: what they are, and the findings that come of them. */
const KNOWN: { text: string; is(finding: Finding): boolean }[] = [
  {
    text: 'The schema is a bare action; its example, and every client, have it in {"action": …}.',
    is: it => /^imageActions_(post|get)$/.test(it.operation) && it.message.endsWith("/action is not described"),
  },
  {
    text: "A typo: the schema calls it imgages; its example, and the service, images.",
    is: it => it.operation.startsWith("tags_") && it.message.endsWith("/resources/images is not described"),
  },
  {
    text: "The example has the tag in a tag.",
    is: it => it.part === "example" && it.operation === "tags_get" && it.message.endsWith("/tag/tag is not described"),
  },
  {
    text: "The example of a backup has these fields of an image, the schema has not.",
    is: it =>
      it.operation === "droplets_list_backups" && /\/(distribution|slug|public) is not described$/.test(it.message),
  },
];

/**
 * Makes a description of an API usable: references followed, and its schemas brought from OpenAPI 3.0 to JSON Schema.
 * @throws Error when a schema in it is none
 */
export function describeApi(description: Description): Api {
  const ajv = addFormats.default(new Ajv({ allErrors: true, strict: false, unicodeRegExp: false }));
  ajv.addFormat("float", true);
  ajv.addFormat("double", true);
  ajv.addFormat("int32", true);
  ajv.addFormat("int64", true);
  ajv.addSchema({ $id: "api", components: toJsonSchema(description.components ?? {}) as Json });

  const resolve = (value: Json | undefined): Json | undefined => {
    if (typeof value?.$ref !== "string") return value;
    const [, ...path] = value.$ref.split("/");
    return resolve(
      path.reduce<Json | undefined>((at, name) => at?.[name] as Json | undefined, description as unknown as Json),
    );
  };
  const validators = new Map<unknown, ValidateFunction>();
  const violations = (schema: unknown, value: unknown): string[] => {
    let validate = validators.get(schema);
    if (!validate) {
      validate = ajv.compile(toJsonSchema(schema) as Json);
      validators.set(schema, validate);
    }
    return validate(value) ? [] : (validate.errors ?? []).map(explain);
  };
  const jsonSchema = (content: Json | undefined): unknown =>
    ((content?.content as Json | undefined)?.["application/json"] as Json | undefined)?.schema;

  const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, it]) => it.operationId)
      .map(([method, it]) => ({ ...it, method: method.toUpperCase(), path })),
  );

  function check(exchange: Exchange): ReturnType<Api["check"]> {
    const url = new URL(exchange.path, "http://host");
    const operation = findOperation(operations, exchange.method, url.pathname);
    if (!operation) {
      const name = `${exchange.method} ${url.pathname}`;
      return { findings: [{ operation: name, part: "request", message: "is not in the description" }] };
    }
    const findings: ApiFinding[] = [];
    const add = (part: string, messages: string[]) => {
      for (const message of messages) findings.push({ operation: operation.operationId, part, message });
    };
    const refused = exchange.status >= 400;
    if (!refused) add("query", checkParameters(operation, url));
    if (!refused) {
      const body = resolve(operation.requestBody);
      const schema = jsonSchema(body);
      if (schema !== undefined && (exchange.body !== undefined || body?.required === true)) {
        add("request", violations(schema, exchange.body));
      } else if (schema === undefined && exchange.body !== undefined) {
        add("request", ["a body where none is described"]);
      }
    }
    const answer = resolve(operation.responses[exchange.status] ?? (refused ? operation.responses.default : undefined));
    if (!answer) {
      add("status", [`${exchange.status} is not described`]);
    } else {
      for (const [name, header] of Object.entries((answer.headers ?? {}) as Record<string, Json>)) {
        const described = resolve(header);
        const value = exchange.headers[name.toLowerCase()];
        // Headers are not required unless they say so; those of the rate limit are on every answer.
        if (value === undefined && described?.required !== true && !name.startsWith("ratelimit-")) continue;
        add(
          "headers",
          violations(described?.schema ?? {}, /^\d+$/.test(value ?? "") ? Number(value) : value).map(
            it => `${name}: ${it}`,
          ),
        );
      }
      const schema = jsonSchema(answer);
      if (schema === undefined && exchange.answer !== undefined) add("answer", ["a body where none is described"]);
      if (schema !== undefined)
        add("answer", [...violations(schema, exchange.answer), ...undescribed(schema, exchange.answer)]);
    }
    return { operation: operation.operationId, findings: findings.map(explainKnown) };
  }

  function checkExamples(): ApiFinding[] {
    const findings: ApiFinding[] = [];
    for (const operation of operations) {
      for (const reference of Object.values(operation.responses)) {
        const media = (resolve(reference)?.content as Json | undefined)?.["application/json"] as Json | undefined;
        if (!media?.schema) continue;
        const named = Object.values((media.examples ?? {}) as Record<string, Json>).map(it => resolve(it)?.value);
        const inSchema = resolve(media.schema as Json)?.example;
        for (const example of [media.example, inSchema, ...named].filter(it => it !== undefined)) {
          for (const message of [...violations(media.schema, example), ...undescribed(media.schema, example)]) {
            findings.push({ operation: operation.operationId, part: "example", message });
          }
        }
      }
    }
    return findings.map(explainKnown);
  }

  function checkParameters(operation: OperationObject & { path: string }, url: URL): string[] {
    const described = new Map<string, Json>();
    const messages: string[] = [];
    const inPath = operation.path.split("/");
    for (const parameter of operation.parameters ?? []) {
      const it = resolve(parameter);
      if (it?.in === "query") described.set(String(it.name), it);
      if (it?.in === "path") {
        const value = url.pathname.split("/")[inPath.indexOf(`{${it.name}}`)] ?? "";
        messages.push(
          ...violations(it.schema, typed(decodeURIComponent(value))).map(text => `path ${it.name}: ${text}`),
        );
      }
    }
    for (const [name, value] of url.searchParams) {
      const it = described.get(name);
      if (!it) messages.push(`${name} is not described`);
      else messages.push(...violations(it.schema, typed(value)).map(text => `${name}: ${text}`));
    }
    return messages;
  }

  /** Fields of an answer that its schema does not name: not against the schema, but a word that nobody described. */
  function undescribed(schema: unknown, value: unknown, at = ""): string[] {
    if (Array.isArray(value)) {
      const items = resolved(schema)
        .map(it => it.items)
        .find(it => it !== undefined);
      return items === undefined ? [] : value.flatMap(item => undescribed(items, item, `${at}[]`));
    }
    if (typeof value !== "object" || value === null) return [];
    const parts = resolved(schema);
    const named: Json = Object.assign({}, ...parts.map(it => it.properties ?? {}));
    if (Object.keys(named).length === 0) return [];
    return Object.entries(value).flatMap(([key, inner]) =>
      key in named ? undescribed(named[key], inner, `${at}/${key}`) : [`${at}/${key} is not described`],
    );
  }

  /** A schema and all that it is made of by allOf, anyOf and oneOf. */
  function resolved(schema: unknown): Json[] {
    const it = resolve(schema as Json);
    if (!it) return [];
    const parts = [it.allOf, it.anyOf, it.oneOf].flatMap(list => (Array.isArray(list) ? list : []));
    return [it, ...parts.flatMap(resolved)];
  }

  return { operations: operations.map(it => it.operationId), check, checkExamples };
}

function explainKnown(finding: Finding): ApiFinding {
  const known = KNOWN.find(it => it.is(finding));
  return known ? { ...finding, known: known.text } : finding;
}

/** A text of a query or a path as the value that it stands for. */
function typed(text: string): unknown {
  if (/^\d+$/.test(text)) return Number(text);
  return text === "true" ? true : text === "false" ? false : text;
}

/** OpenAPI 3.0's own words in JSON Schema: `nullable`, and references into the description. */
function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJsonSchema);
  if (typeof value !== "object" || value === null) return value;
  const { nullable, example, discriminator, ...rest } = value as Json;
  const out: Json = {};
  for (const [key, inner] of Object.entries(rest)) {
    if (key === "$ref" && typeof inner === "string") out[key] = inner.replace(/^#\//, "api#/");
    else out[key] = key === "enum" || key === "default" || key === "required" ? inner : toJsonSchema(inner);
  }
  return nullable === true ? { anyOf: [out, { type: "null" }] } : out;
}
