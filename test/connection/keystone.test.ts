import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { resolveConnection } from "../../provider/connection.ts";
import { ImagesError } from "../../provider/errors.ts";
import { openSession, type Session } from "../../provider/keystone.ts";
import { redact } from "../../provider/redaction.ts";
import { answer, bodyOf, clientOf, serve, type TestServer } from "../http/server.ts";
import { connectionOf, onEachCloud } from "../openstack/clouds.ts";

function sessionOf(entry: Record<string, unknown>): Session {
  const config = { get: (key: string) => (key === "images:connections" ? JSON.stringify({ lab: entry }) : undefined) };
  return openSession(resolveConnection("openstack", "lab", config, { HOME: "/nowhere" }));
}

async function refusalOf(promise: Promise<unknown>): Promise<ImagesError> {
  const error = await promise.then(
    () => assert.fail("it was accepted"),
    caught => caught as unknown,
  );
  assert.ok(error instanceof ImagesError, String(error));
  return error;
}

onEachCloud("a session", cloud => {
  const entry = () => connectionOf(cloud(), cloud().accounts.owner);
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(entry()).filter(([name]) => !names.includes(name)));

  /** What the token may do: the image service takes it. */
  async function works(session: Session): Promise<void> {
    const url = await session.endpoint("image");
    const images = clientOf(url, { authorize: async () => ({ "X-Auth-Token": await session.token() }) });
    assert.equal((await images.send({ method: "GET", path: "/v2/images", query: { limit: 1 } })).status, 200);
    assert.equal(await session.projectId(), cloud().accounts.owner.projectId);
  }

  it("is opened by a password, with names", () => works(sessionOf(entry())));

  it("is opened whatever the end of authUrl", async () => {
    const bare = cloud().authUrl.replace(/\/v3$/, "");
    for (const authUrl of [bare, `${bare}/`, `${bare}/v3`, `${bare}/v3/`])
      await works(sessionOf({ ...entry(), authUrl }));
  });

  it("is opened by a password, with ids", async () => {
    const userId = await sessionOf(entry()).userId();
    const { password, projectId } = cloud().accounts.owner;
    const { authUrl, region } = entry();
    await works(sessionOf({ service: "openstack", authUrl, region, userId, password, projectId }));
  });

  it("is opened by an application credential, whose project it has", () => {
    const { id, secret } = cloud().accounts.owner.applicationCredential;
    const { authUrl, region } = entry();
    return works(
      sessionOf({
        service: "openstack",
        authUrl,
        region,
        applicationCredentialId: id,
        applicationCredentialSecret: secret,
      }),
    );
  });

  it("is opened by a token", async () => {
    const token = await sessionOf(entry()).token();
    const { authUrl, region, projectName, projectDomainName } = entry();
    const given = { service: "openstack", authUrl, region, token };
    await works(sessionOf(given));
    await works(sessionOf({ ...given, projectName, projectDomainName }));
    const bad = await refusalOf(sessionOf({ ...given, token: "gAAAAABnonsense-token-000" }).token());
    assert.equal(bad.code, "unauthorized");
    assert.match(bad.message, /401 to the token \(from stack config images:connections\.lab\.token\): it has expired/);
  });

  it("with a wrong password says what to check, and where it stands", async () => {
    const error = await refusalOf(sessionOf({ ...entry(), password: "not-the-password" }).token());
    assert.equal(error.code, "unauthorized");
    assert.match(
      error.message,
      /^The cloud answered 401 to user "owner": check the password \(from stack config images:connections\.lab\.password\), the user's name \(from .*username\) and its domain "/,
    );
  });

  it("with a wrong application credential says what to check", async () => {
    const { id } = cloud().accounts.owner.applicationCredential;
    const { authUrl } = entry();
    const error = await refusalOf(
      sessionOf({
        service: "openstack",
        authUrl,
        applicationCredentialId: id,
        applicationCredentialSecret: "not-the-secret",
      }).token(),
    );
    assert.equal(error.code, "unauthorized");
    assert.match(error.message, /401 to the application credential .*check its id \(from .*\) and secret \(from /);
  });

  it("for a project that isn't the user's says so, with those that are", async () => {
    const error = await refusalOf(sessionOf({ ...entry(), projectName: "elsewhere" }).token());
    assert.equal(error.code, "unauthorized");
    const { projectName, projectId } = cloud().accounts.owner;
    assert.match(
      error.message,
      /has signed in, but there is no project "elsewhere" \(from .*projectName\) that it may use/,
    );
    assert.ok(error.message.includes(`It may use ${projectName} (${projectId})`), error.message);
  });

  it("finds the endpoint by region without case, and asks for the region when there are several", async () => {
    const [first, second] = cloud().regions as [{ name: string; imageUrl: string }, { name: string; imageUrl: string }];
    assert.equal(await sessionOf({ ...entry(), region: first.name.toUpperCase() }).endpoint("image"), first.imageUrl);
    assert.equal(await sessionOf({ ...entry(), region: second.name.toLowerCase() }).endpoint("image"), second.imageUrl);
    const none = await refusalOf(sessionOf(without("region")).endpoint("image"));
    assert.match(
      none.message,
      new RegExp(`2 regions, and the connection "lab" says none.*Set region to one of .*${first.name}`),
    );
    const wrong = await refusalOf(sessionOf({ ...entry(), region: "Atlantis" }).endpoint("image"));
    assert.match(wrong.message, /isn't offered in the region "Atlantis" \(from .*region\).*Its regions are /);
    assert.equal(
      await sessionOf({ ...without("region"), imageEndpoint: "https://images.example.org/v2/" }).endpoint("image"),
      "https://images.example.org",
    );
  });

  it("names what the catalogue hasn't", async () => {
    const service = await refusalOf(sessionOf(entry()).endpoint("teapot"));
    assert.match(service.message, /no service of type teapot\..*It has .*image/);
    assert.equal(service.code, "configuration");
  });

  it("finds a project by name: its own, an admin any other, and says why when it can't", async () => {
    const { owner, consumer, admin } = cloud().accounts;
    const own = sessionOf(entry());
    assert.equal(await own.findProject(owner.projectName), owner.projectId);
    const other = await refusalOf(own.findProject(consumer.projectName));
    assert.equal(other.code, "forbidden");
    assert.match(other.message, /isn't one of this user's own.*Give the project's id instead/);
    const chief = sessionOf(connectionOf(cloud(), admin));
    assert.equal(await chief.findProject(consumer.projectName), consumer.projectId);
    assert.equal((await refusalOf(chief.findProject("nobody's"))).code, "not-found");
  });

  it("gives a new token when it is told to renew, which also works", async () => {
    const session = sessionOf(entry());
    const first = await session.token();
    assert.equal(await session.token(), first);
    const second = await session.token(true);
    assert.notEqual(second, first);
    assert.equal(await session.token(), second);
    assert.ok(!redact(`tokens ${first} ${second}`).includes("gAAAA"));
    await works(session);
  });
});

describe("a session with a Keystone that", () => {
  let server: TestServer;
  let asked: Record<string, unknown>[];
  afterEach(() => server?.close());

  interface Behaviour {
    /** Seconds that a token lives. */
    lifetime?: number;
    /** Seconds by which the server's clock is ahead. */
    ahead?: number;
    /** Is asked first; what answers true has answered. */
    first?: (request: IncomingMessage, response: Parameters<Parameters<typeof serve>[0]>[1], count: number) => boolean;
  }

  async function keystone({ lifetime = 3600, ahead = 0, first }: Behaviour = {}): Promise<Session> {
    asked = [];
    server = await serve(async (request, response, count) => {
      const body = String(await bodyOf(request));
      asked.push(body ? (JSON.parse(body) as Record<string, unknown>) : {});
      if (first?.(request, response, count)) return;
      const now = Date.now() + ahead * 1000;
      const token = {
        issued_at: new Date(now).toISOString(),
        expires_at: new Date(now + lifetime * 1000).toISOString(),
        user: { id: "u" },
        project: { id: "p" },
        catalog: [
          {
            type: "image",
            name: "glance",
            endpoints: [{ interface: "public", region: "R", url: "http://127.0.0.1:9292/v2/" }],
          },
        ],
      };
      answer(response, 201, { token }, { "X-Subject-Token": `token-number-${count}` });
    });
    return sessionOf({
      service: "openstack",
      authUrl: server.url,
      username: "u",
      password: "pass-word",
      projectName: "p",
    });
  }

  it("is asked once by a hundred callers", async () => {
    const session = await keystone();
    const tokens = await Promise.all(Array.from({ length: 100 }, () => session.token()));
    assert.deepEqual(new Set(tokens), new Set(["token-number-1"]));
    assert.equal(await session.endpoint("image"), "http://127.0.0.1:9292");
    assert.equal(asked.length, 1);
    const renewed = await Promise.all(Array.from({ length: 20 }, () => session.token(true)));
    assert.deepEqual(new Set(renewed), new Set(["token-number-2"]));
  });

  for (const ahead of [-7200, 0, 7200]) {
    it(`has a clock ${ahead} s ahead is asked again only when the token nears its end`, async () => {
      const session = await keystone({ lifetime: 1, ahead });
      assert.equal(await session.token(), "token-number-1");
      assert.equal(await session.token(), "token-number-1");
      await new Promise(resolve => setTimeout(resolve, 900));
      assert.equal(await session.token(), "token-number-2");
    });
  }

  it("refuses is asked no more: further tries would lock the account", async () => {
    const session = await keystone({
      first: (_request, response) => {
        answer(response, 401, { error: { code: 401, message: "The request you have made requires authentication." } });
        return true;
      },
    });
    for (let round = 0; round < 5; round++)
      assert.equal((await refusalOf(session.token(round > 2))).code, "unauthorized");
    // With the project and, to tell a wrong project from a wrong password, without.
    assert.equal(asked.length, 2);
  });

  it("is busy at first, or cuts the connection, is asked again", async () => {
    const session = await keystone({
      first: (request, response, count) => {
        if (count === 1) answer(response, 503, {});
        else if (count === 2) request.socket.destroy();
        return count < 3;
      },
    });
    assert.equal(await session.token(), "token-number-3");
  });

  it("isn't there is given up within seconds, with the setting to look at", async () => {
    const session = await keystone();
    await server.close();
    const started = performance.now();
    const [error, again] = await Promise.all([refusalOf(session.token()), refusalOf(session.endpoint("image"))]);
    assert.ok(performance.now() - started < 10_000);
    assert.equal(error, again);
    assert.equal(error.code, "unavailable");
    assert.match(
      error.message,
      /^No usable answer from 127\.0\.0\.1:\d+: the connection was refused .*authUrl is http:\/\/127\.0\.0\.1:\d+ \(from stack config images:connections\.lab\.authUrl\)$/,
    );
  });

  for (const [name, status, body, type] of [
    ["is something else: 404", 404, "<html><body><h1>Not found</h1></body></html>", "text/html"],
    ["is something else: 405", 405, "", "text/plain"],
    ["is something else: JSON without a token", 200, '{"hello":"world"}', "application/json"],
  ] as const) {
    it(`${name} is named as no Keystone`, async () => {
      const session = await keystone({
        first: (_request, response) => {
          answer(response, status, body, { "content-type": type });
          return true;
        },
      });
      const error = await refusalOf(session.token());
      assert.equal(error.code, "configuration");
      assert.match(
        error.message,
        /^http:\/\/127\.0\.0\.1:\d+ \(from .*authUrl\) isn't a Keystone v3: .*such as https:\/\/cloud\.example\.org:5000\/v3$/,
      );
    });
  }

  it("is something else: pages for people, is given up within seconds", async () => {
    const session = await keystone({
      first: (_request, response) => {
        answer(response, 200, "<html><body>Welcome</body></html>", { "content-type": "text/html" });
        return true;
      },
    });
    const error = await refusalOf(session.token());
    assert.match(error.message, /HTML page where JSON was asked for/);
  });

  it("doesn't like the request is quoted", async () => {
    const session = await keystone({
      first: (_request, response) => {
        answer(response, 400, { error: { message: "Expecting to find domain in project." } });
        return true;
      },
    });
    assert.match(
      (await refusalOf(session.token())).message,
      /doesn't understand the sign-in: Expecting to find domain in project\./,
    );
  });

  it("is asked as the Identity API says", async () => {
    const session = await keystone();
    await session.token();
    assert.deepEqual(asked, [
      {
        auth: {
          identity: {
            methods: ["password"],
            password: { user: { name: "u", domain: { id: "default" }, password: "pass-word" } },
          },
          scope: { project: { name: "p", domain: { id: "default" } } },
        },
      },
    ]);
    assert.equal(server.seen[0]?.path, "/v3/auth/tokens");
    const named = sessionOf({
      service: "openstack",
      authUrl: server.url,
      username: "u",
      userDomainName: "D",
      applicationCredentialName: "ci",
      applicationCredentialSecret: "secret-of-ci",
    });
    await named.token();
    assert.deepEqual(asked[1], {
      auth: {
        identity: {
          methods: ["application_credential"],
          application_credential: { name: "ci", user: { name: "u", domain: { name: "D" } }, secret: "secret-of-ci" },
        },
      },
    });
  });
});
