import assert from "node:assert/strict";
import { onEachCloud } from "../../openstack/clouds.ts";
import type { Account } from "../openStackCloud.ts";
import { authenticate, type Headers, passwordAuth, send, signIn } from "./client.ts";

onEachCloud("Keystone", cloud => {
  const byPassword = (user: object, scope?: object | string) => ({
    auth: { identity: { methods: ["password"], password: { user } }, ...(scope !== undefined && { scope }) },
  });
  const byToken = (id: string, scope?: object) => ({
    auth: { identity: { methods: ["token"], token: { id } }, ...(scope && { scope }) },
  });
  const byCredential = (application_credential: object, scope?: object) => ({
    auth: { identity: { methods: ["application_credential"], application_credential }, ...(scope && { scope }) },
  });
  const named = ({ username, password, userDomain }: Account) => ({
    name: username,
    domain: { name: userDomain },
    password,
  });
  const owner = () => cloud().accounts.owner;
  const ask = (method: string, path: string, token?: string, headers: Headers = {}) =>
    send(method, cloud().authUrl + path, { accept: "application/json", "x-auth-token": token, ...headers });

  it("tells its version at the root and at /v3", async () => {
    const root = await send("GET", cloud().authUrl.replace(/\/v3$/, "/"), {});
    assert.equal(root.status, 300);
    assert.deepEqual(
      root.json.versions.values.map(({ status }: { status: string }) => status),
      ["stable"],
    );
    const version = await send("GET", cloud().authUrl, {});
    assert.equal(version.status, 200);
    assert.match(version.json.version.id, /^v3\./);
    assert.equal(version.json.version.links[0].href, `${cloud().authUrl}/`);
  });

  it("lets in by password: the user by name or id, the project by id, by name, or by default", async () => {
    const first = await authenticate(cloud(), byPassword(named(owner()), { project: { id: owner().projectId } }));
    assert.equal(first.status, 201);
    const { token } = first.json;
    assert.deepEqual(token.methods, ["password"]);
    assert.deepEqual(token.project, {
      id: owner().projectId,
      name: owner().projectName,
      domain: { id: "default", name: "Default" },
    });
    assert.deepEqual(token.roles.map(({ name }: { name: string }) => name).sort(), ["member", "reader"]);
    assert.match(token.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.ok(String(first.headers["x-subject-token"]).length > 150);
    const byId = { id: token.user.id, password: owner().password };
    const projectByName = { project: { name: owner().projectName, domain: { id: "default" } } };
    for (const body of [byPassword(byId, projectByName), byPassword(byId)]) {
      const answer = await authenticate(cloud(), body);
      assert.equal(answer.json.token.project.id, owner().projectId);
    }
  });

  it("has the image service of each region in the catalogue, in three interfaces", async () => {
    const { json } = await authenticate(cloud(), passwordAuth(owner()));
    const image = json.token.catalog.find(({ type }: { type: string }) => type === "image");
    assert.equal(image.name, "glance");
    for (const { name, imageUrl } of cloud().regions) {
      const endpoints = image.endpoints.filter(({ region_id }: { region_id: string }) => region_id === name);
      const interfaces = endpoints.map((endpoint: { interface: string }) => endpoint.interface);
      assert.deepEqual(interfaces.sort(), ["admin", "internal", "public"]);
      for (const endpoint of endpoints) assert.equal(endpoint.url, imageUrl);
    }
    const catalog = await ask("GET", "/auth/catalog", await signIn(cloud(), passwordAuth(owner())));
    assert.equal(catalog.status, 200);
    assert.equal(catalog.json.catalog.length, json.token.catalog.length);
  });

  it("gives an unscoped token, which the Image API doesn't take, and which can be scoped", async () => {
    const unscoped = await authenticate(cloud(), byPassword(named(owner()), "unscoped"));
    assert.equal(unscoped.status, 201);
    assert.equal(unscoped.json.token.project, undefined);
    assert.equal(unscoped.json.token.catalog, undefined);
    const text = String(unscoped.headers["x-subject-token"]);
    const images = await send("GET", `${cloud().regions[0]?.imageUrl}/v2/images`, { "x-auth-token": text });
    assert.notEqual(images.status, 200);
    const scoped = await authenticate(cloud(), byToken(text, { project: { id: owner().projectId } }));
    assert.equal(scoped.status, 201);
    assert.deepEqual(scoped.json.token.methods.sort(), ["password", "token"]);
    assert.equal(scoped.json.token.expires_at, unscoped.json.token.expires_at);
  });

  it("lets in by application credential, by its id or its name, and lets it do nothing more", async () => {
    const { id, secret } = owner().applicationCredential;
    const answer = await authenticate(cloud(), byCredential({ id, secret }));
    assert.equal(answer.status, 201);
    assert.equal(answer.json.token.project.id, owner().projectId);
    assert.equal(answer.json.token.application_credential.id, id);
    const { name } = answer.json.token.application_credential;
    const user = { name: owner().username, domain: { name: "Default" } };
    assert.equal((await authenticate(cloud(), byCredential({ name, secret, user }))).status, 201);
    const scope = { project: { id: owner().projectId } };
    assert.equal((await authenticate(cloud(), byCredential({ id, secret }, scope))).status, 401);
    const text = String(answer.headers["x-subject-token"]);
    assert.equal((await authenticate(cloud(), byToken(text, scope))).status, 403);
    assert.equal((await authenticate(cloud(), byCredential({ id, secret: "wrong" }))).status, 401);
    assert.equal((await authenticate(cloud(), byCredential({ id: "nope", secret }))).status, 404);
  });

  it("answers 401 in JSON to whoever it doesn't let in", async () => {
    const scope = { project: { id: owner().projectId } };
    const bodies = [
      byPassword({ ...named(owner()), password: "wrong" }, scope),
      byPassword({ ...named(owner()), name: "nobody" }, scope),
      byPassword(named(owner()), { project: { id: "nope" } }),
      byPassword(named(owner()), { project: { id: cloud().accounts.consumer.projectId } }),
      byPassword(named(owner()), { system: { all: true } }),
    ];
    for (const body of bodies) {
      const { status, json, headers } = await authenticate(cloud(), body);
      assert.equal(status, 401, JSON.stringify(body));
      assert.equal(json.error.code, 401);
      assert.equal(json.error.message, "The request you have made requires authentication.");
      assert.match(String(headers["www-authenticate"]), /^Keystone uri="/);
    }
  });

  it("answers 400 to what isn't a request to be let in", async () => {
    const bodies = [
      {},
      { auth: {} },
      { auth: { identity: {} } },
      { auth: { identity: { methods: ["password"] } } },
      byPassword({ name: owner().username, password: owner().password }),
      byPassword(named(owner()), { project: { name: owner().projectName } }),
    ];
    for (const body of bodies) assert.equal((await authenticate(cloud(), body)).status, 400, JSON.stringify(body));
  });

  it("tells about a token, and takes it back", async () => {
    const token = await signIn(cloud(), passwordAuth(owner()));
    const other = await signIn(cloud(), passwordAuth(owner()));
    const foreign = await signIn(cloud(), passwordAuth(cloud().accounts.consumer));
    const subject = { "x-subject-token": token };
    assert.equal((await ask("GET", "/auth/tokens", other, subject)).json.token.user.name, owner().username);
    assert.equal((await ask("HEAD", "/auth/tokens", other, subject)).status, 200);
    assert.equal((await ask("GET", "/auth/tokens", foreign, subject)).status, 403);
    assert.equal((await ask("GET", "/auth/tokens", undefined, subject)).status, 401);
    assert.equal((await ask("GET", "/auth/tokens", other, { "x-subject-token": "garbage" })).status, 404);
    assert.equal((await ask("DELETE", "/auth/tokens", other, subject)).status, 204);
    assert.equal((await ask("GET", "/auth/tokens", other, subject)).status, 404);
    assert.equal((await ask("GET", "/auth/projects", token)).status, 401);
  });

  it("shows projects to those who may see them", async () => {
    const token = await signIn(cloud(), passwordAuth(owner()));
    const admin = await signIn(cloud(), passwordAuth(cloud().accounts.admin));
    const mine = await ask("GET", "/auth/projects", token);
    assert.deepEqual(
      mine.json.projects.map(({ id }: { id: string }) => id),
      [owner().projectId],
    );
    assert.equal((await ask("GET", `/projects/${owner().projectId}`, token)).json.project.name, owner().projectName);
    assert.equal((await ask("GET", "/projects", token)).status, 403);
    assert.equal((await ask("GET", `/projects/${cloud().accounts.consumer.projectId}`, token)).status, 403);
    const found = await ask("GET", `/projects?name=${owner().projectName}`, admin);
    assert.deepEqual(
      found.json.projects.map(({ id }: { id: string }) => id),
      [owner().projectId],
    );
    assert.deepEqual((await ask("GET", "/projects?name=nope", admin)).json.projects, []);
    assert.equal((await ask("GET", "/projects/nope", admin)).status, 404);
  });
});
