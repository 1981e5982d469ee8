import type { Account } from "../cloud/openStackCloud.ts";

/** Signs in at a Keystone, by a plain request. @returns a token */
export async function signIn(authUrl: string, account: Account): Promise<string> {
  const { username, password, userDomain, projectId } = account;
  const user = { name: username, domain: { name: userDomain }, password };
  const body = {
    auth: { identity: { methods: ["password"], password: { user } }, scope: { project: { id: projectId } } },
  };
  const answer = await fetch(`${authUrl}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`signing in answered ${answer.status}: ${await answer.text()}`);
  return answer.headers.get("x-subject-token") as string;
}
