/** Keystone's API, as far as setting up a cloud for tests goes. */
export interface Identity {
  /**
   * One request to Identity v3.
   * @param path behind the version, e.g. "/projects"
   * @throws Error with the request and Keystone's answer when it says no
   */
  request<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Who has signed in. */
  userId: string;
}

/** An account as it signs in: always to a project, in the domain Default. */
export interface SignIn {
  username: string;
  password: string;
  project: string;
}

/** Signs in with a password at Identity v3. */
export async function signIn(authUrl: string, account: SignIn): Promise<Identity> {
  const domain = { name: "Default" };
  const auth = {
    identity: {
      methods: ["password"],
      password: { user: { name: account.username, password: account.password, domain } },
    },
    scope: { project: { name: account.project, domain } },
  };
  const response = await send(authUrl, "POST", "/auth/tokens", { auth });
  const token = response.headers.get("x-subject-token") ?? "";
  const answer = (await response.json()) as { token: { user: { id: string } } };
  return {
    userId: answer.token.user.id,
    async request<T>(method: string, path: string, body?: unknown): Promise<T> {
      const response = await send(authUrl, method, path, body, token);
      return (response.status === 204 ? undefined : await response.json()) as T;
    },
  };
}

async function send(authUrl: string, method: string, path: string, body?: unknown, token?: string): Promise<Response> {
  const response = await fetch(`${authUrl}${path}`, {
    method,
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { "x-auth-token": token }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (response.ok) return response;
  throw new Error(`Keystone answered ${response.status} to ${method} ${path}: ${await response.text()}`);
}
