import { randomBytes } from "node:crypto";
import type { Account, OpenStackCloud } from "../../test/cloud/openStackCloud.ts";
import { type Identity, signIn } from "./identity.ts";

/** The accounts that tests use, and the password with which Glance checks tokens. */
export interface Accounts {
  accounts: OpenStackCloud["accounts"];
  servicePassword: string;
}

/** A password that appears nowhere by chance, so that tests can look for it where it must not be. */
export function newPassword(): string {
  return randomBytes(12).toString("hex");
}

/**
 * Makes the projects, users and application credentials on a Keystone that was just bootstrapped, and the
 * catalogue's regions and services, without endpoints.
 */
export async function makeAccounts(authUrl: string, adminPassword: string, regions: string[]): Promise<Accounts> {
  const admin = await signIn(authUrl, { username: "admin", password: adminPassword, project: "admin" });
  const { roles } = await admin.request<{ roles: { id: string; name: string }[] }>("GET", "/roles");
  const roleId = (name: string): string => {
    const id = roles.find(role => role.name === name)?.id;
    if (id === undefined) throw new Error(`Keystone has no role ${name}.`);
    return id;
  };

  const servicePassword = newPassword();
  const service = await makeProject(admin, "service");
  await makeUser(admin, "glance", servicePassword, service, roleId("admin"));
  await makeUser(admin, "glance", servicePassword, service, roleId("service"));
  await admin.request("POST", "/services", { service: { type: "identity", name: "keystone" } });
  await admin.request("POST", "/services", { service: { type: "image", name: "glance" } });
  for (const id of regions) await admin.request("POST", "/regions", { region: { id } });

  const member = async (name: string): Promise<Account> => {
    const password = newPassword();
    const projectId = await makeProject(admin, name);
    await makeUser(admin, name, password, projectId, roleId("member"));
    return account(authUrl, name, password, projectId);
  };
  const { projects } = await admin.request<{ projects: { id: string }[] }>("GET", "/projects?name=admin");
  return {
    accounts: {
      owner: await member("owner"),
      consumer: await member("consumer"),
      admin: await account(authUrl, "admin", adminPassword, projects[0]?.id ?? ""),
    },
    servicePassword,
  };
}

async function makeProject(admin: Identity, name: string): Promise<string> {
  const project = { name, domain_id: "default" };
  return (await admin.request<{ project: { id: string } }>("POST", "/projects", { project })).project.id;
}

/** Gives a user, made where there is none yet, a role in a project. */
async function makeUser(admin: Identity, name: string, password: string, project: string, role: string): Promise<void> {
  const { users } = await admin.request<{ users: { id: string }[] }>("GET", `/users?name=${name}`);
  const user = { name, password, domain_id: "default", default_project_id: project };
  const id = users[0]?.id ?? (await admin.request<{ user: { id: string } }>("POST", "/users", { user })).user.id;
  await admin.request("PUT", `/projects/${project}/users/${id}/roles/${role}`);
}

/** A user and project of the same name, with an application credential of the user's own. */
async function account(authUrl: string, name: string, password: string, projectId: string): Promise<Account> {
  const user = await signIn(authUrl, { username: name, password, project: name });
  const { application_credential: credential } = await user.request<{
    application_credential: { id: string; secret: string };
  }>("POST", `/users/${user.userId}/application_credentials`, { application_credential: { name: "tests" } });
  return {
    username: name,
    password,
    userDomain: "Default",
    projectId,
    projectName: name,
    projectDomain: "Default",
    applicationCredential: { id: credential.id, secret: credential.secret },
  };
}
