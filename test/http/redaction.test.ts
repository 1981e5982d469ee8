import assert from "node:assert/strict";
import { inspect } from "node:util";
import fc from "fast-check";
import { ImagesError } from "../../provider/errors.ts";
import { redact, registerSecret } from "../../provider/redaction.ts";
import { answer, clientOf, serve } from "./server.ts";

describe("redaction of registered secrets", () => {
  const secret = `p&ss "w<rd>/ü?${"+".repeat(2)}1`;
  before(() => registerSecret(secret));

  const forms: Record<string, string> = {
    plain: secret,
    "as JSON": JSON.stringify({ note: secret }),
    "as JSON inside JSON": JSON.stringify({ body: JSON.stringify({ note: secret }) }),
    "URL-encoded": `x=${encodeURIComponent(secret)}`,
    "URL-encoded in lower case": `x=${encodeURIComponent(secret).toLowerCase()}`,
    "form-encoded": `x=${encodeURIComponent(secret).replaceAll("%20", "+")}`,
    "in HTML": "<b>p&amp;ss &quot;w&lt;rd&gt;/ü?++1</b>",
    base64: Buffer.from(secret).toString("base64"),
    base64url: Buffer.from(secret).toString("base64url"),
    "in Basic authentication": `Basic-ish ${Buffer.from(`user:${secret}`).toString("base64")}`,
    "in the middle of base64": Buffer.from(`{"a":"${secret}","b":1}`).toString("base64"),
  };
  for (const [name, text] of Object.entries(forms)) {
    it(name, () => {
      const result = redact(`before ${text} after`);
      assert.match(result, /\[secret\]/);
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64").slice(2, -4)]) {
        assert.ok(!result.includes(form), result);
      }
      assert.match(result, /^before .* after$/s);
    });
  }

  it("holds for any secret, in any text, in any form", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, unit: "binary" }), fc.string(), fc.string(), (value, left, right) => {
        // Text that isn't well-formed can't be sent to a service at all.
        fc.pre(Buffer.from(value).toString() === value && !"[secret]".includes(value));
        registerSecret(value);
        for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) {
          assert.ok(!redact(left + form + right).includes(form), inspect({ value, left, right }));
        }
        const encoded = Buffer.from(left + value + right).toString("base64");
        const shown = Buffer.from(redact(encoded).replaceAll("[secret]", ""), "base64").toString();
        assert.ok(!shown.includes(value), inspect({ value, left, right }));
      }),
      { numRuns: 100 },
    );
  });

  it("leaves short values alone, and text without secrets as it is", () => {
    registerSecret("abc");
    registerSecret("");
    const text = "abc GET /v2/images/6f1c?tag=key&limit=5 answered 404: no image is called token=ring-less";
    assert.equal(redact("abc def"), "abc def");
    assert.equal(redact(text.replace("token=ring-less", "ubuntu")), text.replace("token=ring-less", "ubuntu"));
  });

  it("is quick: a thousand secrets, ten thousand lines", () => {
    for (let index = 0; index < 1000; index++) registerSecret(`registered-secret-number-${index}`);
    let left = 0;
    for (let index = 0; index < 10_000; index++) {
      if (
        redact(`PUT /v2/images/${index} with registered-secret-number-${index % 1000} took long`).includes("registered")
      )
        left++;
    }
    assert.equal(left, 0);
  });
});

describe("redaction of what looks like a secret", () => {
  // An instance of its own, which knows none of the secrets that other tests of this process have registered.
  let fresh: typeof import("../../provider/redaction.ts");
  before(async () => {
    fresh = await import(new URL("../../provider/redaction.ts?fresh", import.meta.url).href);
  });
  const cases: [string, string][] = [
    ["X-Auth-Token: abcdef", "X-Auth-Token: [secret]"],
    ["x-subject-token=abcdef;", "x-subject-token=[secret];"],
    ["Authorization: Bearer abc.def-1", "Authorization: [secret]"],
    ["authorization: 'Basic dXNlcjpwYXNz'", "authorization: '[secret]'"],
    ['{"X-Auth-Token":"abcdef","a":1}', '{"X-Auth-Token":"[secret]","a":1}'],
    ["[ 'X-Auth-Token', 'abcdef' ]", "[ 'X-Auth-Token', '[secret]' ]"],
    ['curl -H "X-Auth-Token: abcdef" http://h/', 'curl -H "X-Auth-Token: [secret]" http://h/'],
    ["got Bearer eyJhbGciOi.x.y", "got Bearer [secret]"],
    ["https://user:pass@host/x and http://token@host", "https://[secret]@host/x and http://[secret]@host"],
    ["https://host/a?x=1&X-Amz-Signature=beef&y=2", "https://host/a?x=1&X-Amz-Signature=[secret]&y=2"],
    ["https://host/a?X-Amz-Credential=AK%2F1&sig=a%2Bb", "https://host/a?X-Amz-Credential=[secret]&sig=[secret]"],
    ["/v1/AUTH_1/c/o?temp_url_sig=da39&temp_url_expires=1", "/v1/AUTH_1/c/o?temp_url_sig=[secret]&temp_url_expires=1"],
    ['{"password":"hunter2","name":"x"}', '{"password":"[secret]","name":"x"}'],
    ['{"body":"{\\"password\\":\\"hunter2\\"}"}', '{"body":"{\\"password\\":\\"[secret]\\"}"}'],
    ['{"application_credential":{"secret": "abc"}}', '{"application_credential":{"secret": "[secret]"}}'],
    ["the token dop_v1_0123456789abcdef0123456789abcdef is bad", "the token [secret] is bad"],
    ["token gAAAAABnPz_0123456789abcdefghij-_x== expired", "token [secret] expired"],
  ];
  for (const [text, expected] of cases) {
    it(text, () => assert.equal(fresh.redact(text), expected));
  }

  it("stays quick on text made to be slow", () => {
    const long = 200_000;
    for (const text of [
      "a".repeat(long),
      `authorization${" ".repeat(long)}`,
      `"${"_".repeat(long)}`,
      `?${"x_".repeat(long / 2)}`,
      "\\".repeat(long),
      `https://${"a".repeat(long)}`,
    ]) {
      const started = performance.now();
      fresh.redact(text);
      assert.ok(performance.now() - started < 5000, `${text.slice(0, 20)}… took ${performance.now() - started} ms`);
    }
  });
});

describe("an error of the service that echoes secrets", () => {
  it("doesn't show them: not in message, request, stack, cause or inspection", async () => {
    const token = "planted-token-0123456789";
    registerSecret(token);
    const server = await serve((request, response) =>
      answer(
        response,
        403,
        `Token ${request.headers["x-auth-token"]} (${encodeURIComponent(token)}) may not GET ${request.url}`,
        { "content-type": "text/plain" },
      ),
    );
    try {
      const client = clientOf(server.url, { authorize: async () => ({ "X-Auth-Token": token }) });
      for (const send of [
        () => client.send({ method: "GET", path: `/x?token=${token}` }),
        () => client.send({ method: "POST", path: "/", json: { token } }),
      ]) {
        const error = await send().catch(caught => caught as unknown);
        assert.ok(error instanceof ImagesError);
        for (const text of [error.message, String(error.stack), String(error.request), inspect(error, { depth: 10 })]) {
          assert.ok(!text.includes(token), text);
        }
      }
      await server.close();
      const error = await clientOf(server.url, { authorize: async () => ({ "X-Auth-Token": token }), strangerMs: 1 })
        .send({ method: "POST", path: `/?token=${token}`, json: { token } })
        .catch(caught => caught as unknown);
      assert.ok(error instanceof ImagesError);
      assert.ok(!inspect(error, { depth: 10, showHidden: true }).includes(token));
    } finally {
      await server.close().catch(() => undefined);
    }
  });
});
