import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Forge, forgeOf } from "../../cli/comment/forge.ts";
import { put } from "../../cli/comment/put.ts";
import { proxyFindings } from "../../cli/examination.ts";
import { ForwardProxy } from "../http/forwardProxy.ts";
import { answer, serve } from "../http/server.ts";
import { type ForgeServer, startForge } from "../support/forge.ts";
import { cleanEnvironment, pulumiImages } from "./command.ts";

const text = (stack: string, found: string) => `<!-- pulumi-images drift fleet/${stack} -->\n### Images\n\n${found}\n`;

for (const kind of ["GitHub", "GitLab"] as const) {
  describe(`pulumi-images comment on ${kind}`, () => {
    let server: ForgeServer;
    let forge: Forge;
    let env: NodeJS.ProcessEnv;

    beforeEach(async () => {
      server = await startForge();
      env =
        kind === "GitHub"
          ? {
              ...{ GITHUB_ACTIONS: "true", GITHUB_API_URL: server.url, GITHUB_REPOSITORY: "o/r" },
              ...{ GITHUB_REF: "refs/pull/7/merge", GITHUB_TOKEN: server.token },
            }
          : {
              ...{ GITLAB_CI: "true", CI_API_V4_URL: `${server.url}/api/v4`, CI_PROJECT_ID: "9" },
              ...{ CI_MERGE_REQUEST_IID: "7", GITLAB_TOKEN: server.token },
            };
      forge = forgeOf(env);
    });
    afterEach(() => server.stop());

    const bodies = () => server.comments.map(({ body }) => body);

    it("writes one comment for each stack, and updates it afterwards", async () => {
      assert.equal((await put(forge, text("prod", "2 drifted"), false)).outcome, "created");
      assert.equal((await put(forge, text("dev", "1 drifted"), false)).outcome, "created");
      assert.equal((await put(forge, text("prod", "1 drifted"), false)).outcome, "updated");
      assert.equal((await put(forge, text("prod", "No drift"), true)).outcome, "updated");
      assert.deepEqual(bodies(), [text("prod", "No drift"), text("dev", "1 drifted")]);
    });

    it("finds its comment on a later page, and none that an outsider wrote", async () => {
      const other = (id: number, body: string) => ({ id, body, ours: false });
      server.comments.push(other(1, text("prod", "nothing, believe me")));
      server.comments.push(...Array.from({ length: 70 }, (_, id) => other(id + 2, `talk ${id}`)));
      await put(forge, text("prod", "1 drifted"), false);
      assert.equal((await put(forge, text("prod", "2 drifted"), false)).outcome, "updated");
      assert.deepEqual(
        [bodies()[0], bodies()[71], bodies().length],
        [text("prod", "nothing, believe me"), text("prod", "2 drifted"), 72],
      );
    });

    it("leaves a comment alone that says it already, and writes none with --only-update", async () => {
      assert.equal((await put(forge, text("prod", "No drift"), true)).outcome, "nothing to update");
      await put(forge, text("prod", "1 drifted"), false);
      server.requests.length = 0;
      assert.equal((await put(forge, `${text("prod", "1 drifted")}\n`, false)).outcome, "unchanged");
      assert.ok(server.requests.every(request => request.startsWith("GET ")));
    });

    it("says what is missing or refused, and shows no token", async () => {
      const tokenName = kind === "GitHub" ? "GITHUB_TOKEN" : "GITLAB_TOKEN";
      assert.throws(() => forgeOf({ ...env, [tokenName]: "" }), { message: new RegExp(`${tokenName} isn't set`) });
      const refused = forgeOf({ ...env, [tokenName]: "other-token-0123456789" });
      await assert.rejects(put(refused, text("prod", "x"), false), (error: Error) => {
        assert.match(error.message, /^GET \/.* answered 401: "Bad credentials"/);
        return !error.message.includes("other-token");
      });
      await assert.rejects(put(forge, "no marker", false), { message: /doesn't begin with a marker/ });
    });
  });
}

describe("pulumi-images comment", () => {
  const job = {
    ...{ GITHUB_ACTIONS: "true", GITHUB_REPOSITORY: "o/r", GITHUB_REF: "refs/pull/7/merge" },
    GITHUB_TOKEN: "forge-token-0123456789",
  };

  it("goes through a proxy", async () => {
    const server = await startForge();
    const { port } = new URL(server.url);
    const proxy = await ForwardProxy.start({ port: Number(port) });
    const before = process.env.HTTP_PROXY;
    process.env.HTTP_PROXY = proxy.url;
    try {
      const forge = forgeOf({ ...job, GITHUB_API_URL: `http://forge.example.org:${port}` });
      assert.equal((await put(forge, text("prod", "x"), false)).outcome, "created");
      assert.match(proxy.asked.at(-1) ?? "", /^POST http:\/\/forge\.example\.org:\d+\/repos/);
    } finally {
      if (before === undefined) delete process.env.HTTP_PROXY;
      else process.env.HTTP_PROXY = before;
      await proxy.stop();
      await server.stop();
    }
  });

  it("trusts a forge's own authority where it is told to, by GitLab's runner, too", async () => {
    const server = await serve((_request, response) => answer(response, 200, []), { tls: true });
    try {
      const github = { ...job, GITHUB_API_URL: server.url };
      const gitlab = {
        ...{ GITLAB_CI: "true", CI_API_V4_URL: server.url, CI_PROJECT_ID: "9", CI_MERGE_REQUEST_IID: "7" },
        ...{ GITLAB_TOKEN: job.GITHUB_TOKEN, CI_SERVER_TLS_CA_FILE: server.caFile },
      };
      for (const forge of [forgeOf(github, server.caFile), forgeOf(gitlab)])
        assert.equal((await put(forge, text("prod", "x"), true)).outcome, "nothing to update");
      await assert.rejects(put(forgeOf(github), text("prod", "x"), true), {
        message: /Name the file .* by --ca-file$/,
      });
    } finally {
      await server.close();
    }
  });

  it("is for a CI job of a pull or merge request", async () => {
    const dir = await mkdtemp(join(tmpdir(), "pulumi-images-comment-"));
    try {
      await writeFile(join(dir, "drift.md"), text("prod", "x"));
      const { code, err } = await pulumiImages(["comment", "drift.md"], { cwd: dir, env: cleanEnvironment() });
      assert.equal(code, 2);
      assert.match(err, /this is no job of GitHub Actions or GitLab CI/);
      const push = { GITHUB_ACTIONS: "true", GITHUB_REPOSITORY: "o/r", GITHUB_REF: "refs/heads/main" };
      assert.throws(() => forgeOf(push), { message: /doesn't run for a pull request/ });
      await writeFile(join(dir, "event.json"), JSON.stringify({ pull_request: { number: 12 } }));
      const target = { ...push, GITHUB_EVENT_PATH: join(dir, "event.json"), GITHUB_TOKEN: "token-0123456789" };
      assert.ok(forgeOf(target));
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});

describe("pulumi-images doctor", () => {
  it("says of a proxy whether this Node.js can use it", () => {
    const states = (version: string) => proxyFindings({ https_proxy: "http://p" }, version).map(({ state }) => state);
    for (const version of ["22.21.0", "24.5.0", "26.10.0"]) assert.deepEqual(states(version), ["ok"], version);
    for (const version of ["22.12.0", "22.20.0", "23.11.1", "24.4.1"]) assert.deepEqual(states(version), ["warning"]);
    assert.deepEqual(proxyFindings({ NO_PROXY: "*" }, "22.12.0"), []);
  });
});
