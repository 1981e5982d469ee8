import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { knownConnections, resolveConnection } from "../../provider/connection.ts";
import { warningOfMode } from "../../provider/connections/cloudsYaml.ts";
import { ImagesError } from "../../provider/errors.ts";
import { redact } from "../../provider/redaction.ts";
import type { ServiceName } from "../../provider/services/names.ts";

const lab = {
  service: "openstack",
  authUrl: "https://lab.example.org:5000/v3",
  username: "robot",
  password: "lab-password",
  projectName: "demo",
};

describe("a connection", () => {
  let home: string;
  let env: NodeJS.ProcessEnv;
  let config: Record<string, unknown>;

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "images-home-"));
    env = { HOME: home };
    config = {};
  });
  afterEach(() => rmSync(home, { recursive: true }));

  function resolve<S extends ServiceName>(service: S, name?: string) {
    const reader = {
      get: (key: string) => {
        const value = config[key];
        return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
      },
    };
    return resolveConnection(service, name, reader, env, join(home, "program"));
  }
  function refusal(service: ServiceName, name?: string): ImagesError {
    try {
      resolve(service, name);
    } catch (error) {
      assert.ok(error instanceof ImagesError, String(error));
      assert.equal(error.code, "configuration");
      return error;
    }
    return assert.fail("it was accepted");
  }
  /** Writes a file that only its owner can read. */
  function file(path: string, content: string, mode = 0o600): string {
    const full = join(home, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    chmodSync(full, mode);
    return full;
  }

  describe("of the stack config", () => {
    it("is found by its name, and says where each setting stands", () => {
      config["images:connections"] = { lab };
      const { name, service, settings, origin, warnings } = resolve("openstack", "lab");
      assert.deepEqual([name, service, warnings], ["lab", "openstack", []]);
      assert.deepEqual(settings, {
        authUrl: "https://lab.example.org:5000/v3",
        authType: "password",
        username: "robot",
        userDomainId: "default",
        password: "lab-password",
        projectName: "demo",
        projectDomainId: "default",
        interface: "public",
        insecure: false,
      });
      assert.equal(origin.password, "stack config images:connections.lab.password");
    });

    it("takes the official provider's names, domains of either form, and text or truth in any writing", () => {
      config["images:connections"] = {
        a: {
          service: "ecl",
          authUrl: "https://keystone-jp1-ecl.api.ntt.com/v3/",
          userName: "key",
          password: 12345678,
          tenantId: "0123456789abcdef",
          domainName: "Company",
          endpointType: "internalURL",
          insecure: "true",
          region: "jp1",
        },
      };
      const { settings, warnings } = resolve("ecl", "a");
      assert.deepEqual(settings, {
        authUrl: "https://keystone-jp1-ecl.api.ntt.com/v3",
        authType: "password",
        username: "key",
        userDomainName: "Company",
        password: "12345678",
        projectId: "0123456789abcdef",
        interface: "internal",
        insecure: true,
        region: "jp1",
      });
      assert.match(
        warnings.join(),
        /Certificates are not verified \(insecure, from stack config images:connections\.a\.insecure\)/,
      );
    });

    it("signs in by application credential or token when that is what is set", () => {
      const { username, password, projectName, ...rest } = lab;
      config["images:connections"] = {
        credential: { ...rest, applicationCredentialId: "ac-1", applicationCredentialSecret: "credential-secret" },
        named: { ...rest, username, applicationCredentialName: "ci", applicationCredentialSecret: "credential-secret" },
        token: { ...rest, token: "token-of-the-user", projectName },
        chosen: { ...lab, token: "token-of-the-user", authType: "v3password" },
      };
      const types = ["credential", "named", "token", "chosen"].map(name => resolve("openstack", name).settings);
      assert.deepEqual(
        types.map(({ authType }) => authType),
        ["applicationCredential", "applicationCredential", "token", "password"],
      );
      assert.deepEqual(
        [types[0]?.projectName, types[0]?.username, types[1]?.username],
        [undefined, undefined, "robot"],
      );
      assert.deepEqual([types[1]?.userDomainId, types[3]?.token, types[3]?.password], ["default", undefined, password]);
    });

    it("is the default of its service when it is called so, or the only one", () => {
      config["images:connections"] = {
        first: lab,
        openstack: { ...lab, username: "default" },
        do: { service: "digitalocean", token: "do-token-1" },
      };
      assert.equal(resolve("openstack").settings.username, "default");
      assert.equal(resolve("openstack", "openstack").settings.username, "default");
      assert.equal(resolve("digitalocean").settings.token, "do-token-1");
      config["images:connections"] = { first: lab, second: { ...lab, username: "second" } };
      assert.match(
        refusal("openstack").message,
        /"first", "second": none is called "openstack".*connection: "first" or "second"$/,
      );
      env.OS_CLOUD = "nowhere";
      assert.match(refusal("openstack").message, /The cloud "nowhere" \(from OS_CLOUD\) isn't known/);
    });

    it("may name a cloud of clouds.yaml and override settings of it", () => {
      file(
        ".config/openstack/clouds.yaml",
        "clouds: {site: {auth: {auth_url: 'https://a/v3', username: u, password: cloud-password, project_name: p}, region_name: R1}}",
      );
      config["images:connections"] = { lab: { service: "openstack", cloud: "site", region: "R2" } };
      const { settings, origin } = resolve("openstack", "lab");
      assert.deepEqual([settings.region, settings.password], ["R2", "cloud-password"]);
      assert.equal(origin.region, "stack config images:connections.lab.region");
      assert.equal(origin.password, `${join(home, ".config/openstack/clouds.yaml")} (clouds.site.auth.password)`);
      config["images:connections"] = { lab: { service: "openstack", cloud: "sit" } };
      assert.match(
        refusal("openstack", "lab").message,
        /"sit" \(from stack config images:connections\.lab\.cloud\).*which has "site".*Is "site" meant\?/,
      );
    });

    const wrong: [string, unknown, RegExp][] = [
      ["isn't JSON", "{", /images:connections isn't an object.*pulumi config set --path/],
      ["is a list", [], /must be an object of connections/],
      ["has an entry that isn't an object", { lab: "x" }, /"lab" .* must be an object/],
      [
        "has an entry without a service",
        { lab: {} },
        /doesn't say its service.*`pulumi config set --path images:connections\.lab\.service openstack`/,
      ],
      [
        "has an entry of an unknown service",
        { lab: { service: "digitalozean" } },
        /unknown service "digitalozean".*service digitalocean`; services are openstack,/,
      ],
      [
        "has a setting that is misspelt",
        { lab: { ...lab, pasword: "x" } },
        /unknown setting pasword.*Is password meant\?/,
      ],
      ["has a setting of another service", { lab: { ...lab, apiKey: "x" } }, /unknown setting apiKey/],
      [
        "lacks the password",
        { lab: { ...lab, password: undefined } },
        /password is missing; looked in: stack config images:connections\.lab\..*`pulumi config set --secret 'images:connections\.lab\.password'`$/,
      ],
      [
        "lacks much",
        { lab: { service: "openstack" } },
        /authUrl is missing.*; username \(or userId\) is missing; password is missing; projectName \(or projectId\) is missing/,
      ],
      [
        "lacks the credential's secret",
        { lab: { service: "openstack", authUrl: "http://h", applicationCredentialId: "x" } },
        /applicationCredentialSecret is missing/,
      ],
      [
        "has a password and a token",
        { lab: { ...lab, token: "xxxxxx" } },
        /token \(from .*\.token\) and password \(from .*\.password\) contradict each other: leave one, or set authType/,
      ],
      [
        "has a password and an application credential",
        { lab: { ...lab, applicationCredentialSecret: "xxxxxx" } },
        /applicationCredentialSecret .* and password .* contradict/,
      ],
      [
        "has an unknown way to sign in",
        { lab: { ...lab, authType: "v3kerberos" } },
        /"v3kerberos".*isn't supported; these are: password, applicationCredential, token/,
      ],
      [
        "has an address that isn't one",
        { lab: { ...lab, authUrl: "lab:5000" } },
        /authUrl must be a http\(s\) URL \(it comes from stack config images:connections\.lab\.authUrl\)/,
      ],
      [
        "has a password in the address",
        { lab: { ...lab, authUrl: "https://u:p@h/" } },
        /authUrl must be a URL without user and password/,
      ],
      [
        "has an unknown interface",
        { lab: { ...lab, interface: "pubic" } },
        /must be one of public, internal, admin, not "pubic"; is "public" meant/,
      ],
      ["has a maybe", { lab: { ...lab, insecure: "maybe" } }, /insecure must be true or false/],
      ["has a list as a password", { lab: { ...lab, password: ["a"] } }, /password must be text/],
      [
        "has a CA file that isn't there",
        { lab: { ...lab, caFile: "/nowhere/ca.pem" } },
        /caFile \/nowhere\/ca\.pem \(from .*\) isn't there/,
      ],
    ];
    for (const [name, value, expected] of wrong) {
      it(`that ${name} is refused, with what to write`, () => {
        config["images:connections"] = value;
        assert.match(refusal("openstack", "lab").message, expected);
      });
    }

    it("that is unknown, or of another service, is refused with the known ones", () => {
      config["images:connections"] = { lab, "my-do": { service: "digitalocean", token: "do-token-2" } };
      assert.match(
        refusal("openstack", "lap").message,
        /no connection "lap" for openstack; looked in: stack config.*clouds\.yaml \(not found as .*Is "lab" meant\? Known are: "lab", "my-do"/,
      );
      assert.match(
        refusal("openstack", "my-do").message,
        /is for the service digitalocean, not openstack.*Connections of openstack: "lab"/,
      );
      assert.match(refusal("digitalocean", "lab").message, /is for the service openstack, not digitalocean/);
    });
  });

  describe("of the official providers' configuration", () => {
    it("is taken key by key, completed by the environment", () => {
      Object.assign(config, {
        "openstack:authUrl": "https://official/v3",
        "openstack:userName": "official-user",
        "openstack:userDomainName": "People",
        "openstack:projectDomainName": "Work",
        "openstack:tenantName": "official-project",
        "openstack:endpointType": "admin",
        "openstack:insecure": "false",
        "openstack:endpointOverrides": { image: "https://glance.official/v2/" },
      });
      Object.assign(env, {
        OS_PASSWORD: "environment-password",
        OS_USERNAME: "environment-user",
        OS_REGION_NAME: "R9",
      });
      const { settings, origin, name } = resolve("openstack");
      assert.deepEqual(settings, {
        authUrl: "https://official/v3",
        authType: "password",
        username: "official-user",
        userDomainName: "People",
        password: "environment-password",
        projectName: "official-project",
        projectDomainName: "Work",
        region: "R9",
        interface: "admin",
        insecure: false,
        imageEndpoint: "https://glance.official/v2",
      });
      assert.deepEqual([name, origin.username, origin.password], ["openstack", "openstack:userName", "OS_PASSWORD"]);
    });

    it("isn't given a second way to sign in by the environment", () => {
      Object.assign(config, {
        "openstack:authUrl": "https://official/v3",
        "openstack:applicationCredentialId": "ac",
        "openstack:applicationCredentialSecret": "official-secret",
      });
      Object.assign(env, { OS_PASSWORD: "environment-password", OS_USERNAME: "u", OS_TOKEN: "environment-token" });
      assert.equal(resolve("openstack").settings.authType, "applicationCredential");
    });

    it("may name a cloud of clouds.yaml", () => {
      file(
        "program/clouds.yaml",
        "clouds: {site: {auth: {auth_url: 'https://a', username: u, password: cloud-password, project_id: p}}, other: {}}",
      );
      config["openstack:cloud"] = "site";
      config["openstack:region"] = "R3";
      const { settings } = resolve("openstack");
      assert.deepEqual([settings.authUrl, settings.region, settings.projectId], ["https://a", "R3", "p"]);
    });

    it("of DigitalOcean, else its environment variables", () => {
      env.DIGITALOCEAN_ACCESS_TOKEN = "environment-token";
      env.DIGITALOCEAN_API_URL = "http://127.0.0.1:4010/v2/";
      assert.deepEqual(resolve("digitalocean").settings, {
        token: "environment-token",
        endpoint: "http://127.0.0.1:4010",
      });
      env.DIGITALOCEAN_TOKEN = "environment-token-2";
      assert.equal(resolve("digitalocean").origin.token, "DIGITALOCEAN_TOKEN");
      config["digitalocean:token"] = "official-token";
      config["digitalocean:apiEndpoint"] = "http://api.example.org";
      const { settings, warnings } = resolve("digitalocean");
      assert.deepEqual(settings, { token: "official-token", endpoint: "http://api.example.org" });
      assert.deepEqual(warnings, ["The token goes to http://api.example.org without encryption"]);
      env = { HOME: home };
      config = {};
      assert.match(
        refusal("digitalocean").message,
        /DIGITALOCEAN_TOKEN.*`pulumi config set --secret digitalocean:token`/,
      );
    });

    it("of DivvyCloud are its own variables, with a key or with a user", () => {
      Object.assign(env, { DIVVYCLOUD_URL: "https://divvy.example.org/", DIVVYCLOUD_API_KEY: "divvy-key" });
      assert.deepEqual(resolve("divvycloud").settings, {
        url: "https://divvy.example.org",
        apiKey: "divvy-key",
        insecure: false,
      });
      Object.assign(env, { DIVVYCLOUD_USERNAME: "u", DIVVYCLOUD_PASSWORD: "divvy-password" });
      assert.match(
        refusal("divvycloud").message,
        /apiKey \(from DIVVYCLOUD_API_KEY\) and password \(from DIVVYCLOUD_PASSWORD\) contradict/,
      );
      delete env.DIVVYCLOUD_API_KEY;
      assert.equal(resolve("divvycloud").settings.username, "u");
      delete env.DIVVYCLOUD_PASSWORD;
      assert.match(refusal("divvycloud").message, /password is missing/);
    });
  });

  describe("of the environment", () => {
    it("is taken when nothing else is set, by every service that speaks Keystone", () => {
      Object.assign(env, {
        OS_AUTH_URL: "https://env/v3",
        OS_USERNAME: "env-user",
        OS_USER_DOMAIN_NAME: "Default",
        OS_PASSWORD: "env-password",
        OS_PROJECT_ID: "p1",
        OS_PROJECT_NAME: "both are set by openrc",
        OS_PROJECT_DOMAIN_ID: "",
        OS_INTERFACE: "internal",
      });
      for (const service of ["openstack", "ecl", "istack", "glance-v1"] as const) {
        const { settings, origin } = resolve(service);
        assert.deepEqual(settings, {
          authUrl: "https://env/v3",
          authType: "password",
          username: "env-user",
          userDomainName: "Default",
          password: "env-password",
          projectId: "p1",
          interface: "internal",
          insecure: false,
        });
        assert.equal(origin.projectId, "OS_PROJECT_ID");
      }
      config["images:connections"] = { lab };
      assert.equal(resolve("openstack").settings.username, "robot");
    });

    it("that has nothing is an error with every place that was looked at", () => {
      assert.match(
        refusal("openstack").message,
        new RegExp(
          `images:connections \\(none of openstack\\); stack config openstack:authUrl and openstack:cloud; OS_CLOUD and OS_AUTH_URL; clouds.yaml \\(not found as ${home}/program/clouds.yaml, ${home}/.config/openstack/clouds.yaml, /etc/xdg/openstack/clouds.yaml, /etc/openstack/clouds.yaml\\)`,
        ),
      );
    });
  });

  describe("of clouds.yaml", () => {
    const clouds = `
clouds:
  site:
    profile: provider
    auth:
      username: u
      user_domain_name: People
      project_name: p
      project_domain_id: d1
    interface: internal
    verify: false
    image_endpoint_override: https://glance/v2
  credential:
    auth_type: v3applicationcredential
    auth: { auth_url: https://k/v3, application_credential_id: ac, application_credential_secret: cloud-secret }
    regions: [RegionA, { name: RegionB }]
    cacert: ~/ca.pem
  token:
    auth_type: v3token
    auth: { auth_url: https://k, token: cloud-token, project_id: p }
`;

    it("is found by its name; secure.yaml is laid over it, a profile of clouds-public.yaml under it", () => {
      const path = file(".config/openstack/clouds.yaml", clouds, 0o644);
      const secure = file(".config/openstack/secure.yaml", "clouds: {site: {auth: {password: secure-password}}}");
      file(
        ".config/openstack/clouds-public.yaml",
        "public-clouds: {provider: {auth: {auth_url: 'https://public/v3'}, region_name: R7, interface: admin}}",
      );
      const { settings, origin, warnings } = resolve("openstack", "site");
      assert.deepEqual(settings, {
        authUrl: "https://public/v3",
        authType: "password",
        username: "u",
        userDomainName: "People",
        password: "secure-password",
        projectName: "p",
        projectDomainId: "d1",
        region: "R7",
        interface: "internal",
        insecure: true,
        imageEndpoint: "https://glance/v2",
      });
      assert.equal(origin.password, `${secure} (clouds.site.auth.password)`);
      assert.equal(
        origin.authUrl,
        `${join(home, ".config/openstack/clouds-public.yaml")} (public-clouds.provider.auth.auth_url)`,
      );
      // The file that others can read holds no secret of this cloud.
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] as string, new RegExp(`not verified \\(insecure, from ${path}`));
    });

    it("with secrets that others can read is warned of", () => {
      const path = file("program/clouds.yaml", clouds, 0o644);
      file("ca.pem", "");
      assert.deepEqual(resolve("openstack", "credential").warnings, [
        `${path} holds a secret and others can read it (mode 0644): chmod 600 ${path}`,
      ]);
      chmodSync(path, 0o600);
      const { settings, warnings } = resolve("openstack", "credential");
      assert.deepEqual(warnings, []);
      assert.deepEqual(settings, {
        authUrl: "https://k/v3",
        authType: "applicationCredential",
        applicationCredentialId: "ac",
        applicationCredentialSecret: "cloud-secret",
        region: "RegionA",
        interface: "public",
        caFile: join(home, "ca.pem"),
        insecure: false,
      });
      assert.equal(resolve("openstack", "token").settings.token, "cloud-token");
    });

    it("is looked for where OS_CLIENT_CONFIG_FILE says, then in the working directory, then in the user's folder", () => {
      const cloud = (user: string) =>
        `clouds: {one: {auth: {auth_url: 'https://k', username: ${user}, password: pass-word, project_id: p}}}`;
      file(".config/openstack/clouds.yaml", cloud("home"));
      assert.equal(resolve("openstack", "one").settings.username, "home");
      file("program/clouds.yaml", cloud("here"));
      assert.equal(resolve("openstack", "one").settings.username, "here");
      env.OS_CLIENT_CONFIG_FILE = file("elsewhere.yaml", cloud("elsewhere"));
      assert.equal(resolve("openstack", "one").settings.username, "elsewhere");
      env.XDG_CONFIG_HOME = join(home, "xdg");
      rmSync(env.OS_CLIENT_CONFIG_FILE);
      rmSync(join(home, "program/clouds.yaml"));
      const ofXdg = file("xdg/openstack/clouds.yaml", cloud("xdg"));
      assert.equal(resolve("openstack", "one").settings.username, "xdg");
      rmSync(ofXdg);
      assert.equal(resolve("openstack", "one").settings.username, "home");
      rmSync(join(home, ".config/openstack/clouds.yaml"));
      assert.match(refusal("openstack", "one").message, /xdg\/openstack\/clouds\.yaml/);
    });

    it("is the default by OS_CLOUD, or when it has only one cloud", () => {
      file("program/clouds.yaml", clouds);
      env.OS_CLOUD = "token";
      env.OS_REGION_NAME = "R5";
      const { settings, name } = resolve("openstack");
      assert.deepEqual([settings.token, settings.region, name], ["cloud-token", "R5", "openstack"]);
      delete env.OS_CLOUD;
      assert.match(refusal("openstack").message, /which has "site", "credential", "token"/);
      file(
        "program/clouds.yaml",
        "clouds: {only: {auth: {auth_url: 'https://k', username: one, password: pass-word, project_id: p}}}",
      );
      assert.equal(resolve("openstack").settings.username, "one");
    });

    it("is passed over in a usual place where it can't be read, which an error says, and has to be readable where it is named", () => {
      mkdirSync(join(home, "program/clouds.yaml"), { recursive: true });
      const folder = join(home, "program/clouds.yaml");
      assert.ok(refusal("openstack", "one").message.includes(`${folder} is a folder`));
      const variables = { OS_AUTH_URL: "https://k", OS_USERNAME: "u", OS_PASSWORD: "pass-word", OS_PROJECT_ID: "p" };
      Object.assign(env, variables);
      assert.equal(resolve("openstack").settings.username, "u");
      env.OS_CLIENT_CONFIG_FILE = folder;
      assert.match(refusal("openstack").message, /clouds\.yaml is a folder$/);
    });

    it("with a secret that others can read gets a warning whose advice can be followed", () => {
      const warning = (mode: number, uid: number, isFixed = false) =>
        warningOfMode("/c.yaml", { mode: 0o100000 | mode, uid }, isFixed, 1000);
      assert.equal(warning(0o600, 1000), undefined);
      assert.match(warning(0o640, 1000) ?? "", /mode 0640\): chmod 600/);
      // A Kubernetes secret: root's, for the group of the pod, read-only.
      assert.equal(warning(0o440, 0, true), undefined);
      assert.match(warning(0o644, 0, true) ?? "", /defaultMode/);
      assert.match(warning(0o644, 1000, true) ?? "", /defaultMode/);
    });

    it("that can't be understood is an error that names the file and shows none of it", () => {
      const path = file("program/clouds.yaml", "clouds:\n  a:\n    auth: {password: shown-never,\n  b: ]");
      const { message } = refusal("openstack", "a");
      assert.ok(message.includes(path) && /line \d/.test(message), message);
      assert.doesNotMatch(message, /shown-never/);
      file("program/clouds.yaml", "clouds: {a: {profile: vexxhost, auth: {username: u}}}");
      assert.match(
        refusal("openstack", "a").message,
        /profile "vexxhost", which is in no clouds-public\.yaml.*auth\.auth_url/,
      );
      file("program/clouds.yaml", "- a\n- b");
      assert.match(refusal("openstack", "a").message, /which has no clouds/);
    });
  });

  it("makes its secrets unprintable, whatever becomes of it", () => {
    config["images:connections"] = {
      one: { ...lab, password: "planted-password-1" },
      two: { ...lab, authUrl: undefined, password: "planted-password-2" },
      three: { service: "digitalocean", token: "planted-token-3" },
    };
    file(
      "program/clouds.yaml",
      "clouds: {four: {auth: {auth_url: x, application_credential_secret: planted-secret-4}}}",
    );
    resolve("openstack", "one");
    refusal("openstack", "two");
    resolve("digitalocean", "three");
    refusal("openstack", "four");
    assert.equal(
      redact("planted-password-1 planted-password-2 planted-token-3 planted-secret-4"),
      "[secret] [secret] [secret] [secret]",
    );
  });

  it("can be listed with where it stands", () => {
    const path = file("program/clouds.yaml", "clouds: {lab: {}, site: {}}");
    const reader = {
      get: (key: string) =>
        key === "images:connections" ? JSON.stringify({ lab, d: { service: "digitalocean" } }) : undefined,
    };
    assert.deepEqual(knownConnections(reader, env, join(home, "program")), [
      { name: "lab", service: "openstack", origin: "stack config images:connections.lab" },
      { name: "d", service: "digitalocean", origin: "stack config images:connections.d" },
      { name: "site", service: "openstack", origin: path },
    ]);
  });
});
