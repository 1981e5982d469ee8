import type { Connection, DivvyCloudSettings } from "../../connection.ts";
import { ImagesError } from "../../errors.ts";
import { createHttp, type Http } from "../../http.ts";
import { registerSecret } from "../../redaction.ts";
import { divvyCloudAnswers } from "./ownAnswers.ts";

/** Requests as one user, who is told by an API key, or by a login that all callers share and that is renewed when it ends. */
export interface Session {
  http: Http;
  /** Finds out, once, whether the credentials are good. Throws "unauthorized". */
  signIn(): Promise<void>;
  /** The organization that the user works in, asked for once; undefined: it has none. */
  organization(): Promise<string | undefined>;
}

interface UserInfo {
  organization_name?: string;
}

/** Marked as required in the vendor's own description, for requests without a body, too. */
const jsonType = { "content-type": "application/json" };

export function openSession(connection: Connection<DivvyCloudSettings>): Session {
  const { url, apiKey, username, password, caFile, insecure } = connection.settings;
  const shared = { service: "divvycloud" as const, baseUrl: async () => url, caFile, insecure };
  const addressHint = `url is ${url}${connection.origin.url ? ` (from ${connection.origin.url})` : ""}`;
  const plain = createHttp({ ...shared, addressHint, authorize: async () => jsonType });

  let current: Promise<string> | undefined;
  let renewing: Promise<string> | undefined;
  let refused: ImagesError | undefined;
  let checked: Promise<void> | undefined;
  let known: Promise<UserInfo> | undefined;

  async function login(): Promise<string> {
    // Wrong credentials stay wrong, and each further try counts towards a lock of the account.
    if (refused) throw refused;
    const { status, body } = await plain.send<{ session_id?: string }>({
      method: "POST",
      path: "/v2/public/user/login",
      json: { username, password },
      accept: [401, 403],
      // A second session does no harm.
      repeatable: true,
    });
    if (status < 300 && typeof body?.session_id === "string") {
      registerSecret(body.session_id);
      return body.session_id;
    }
    refused = new ImagesError("unauthorized", `DivvyCloud doesn't accept the user name ${username} with its password`, {
      service: "divvycloud",
      request: "POST /v2/public/user/login",
      status,
      hint: "Check username and password of the connection",
    });
    throw refused;
  }

  /** A session's id; all who need a new one get the same. */
  function sessionId(renew: boolean): Promise<string> {
    if (renewing !== undefined) return renewing;
    if (current !== undefined && !renew) return current;
    const started = login().finally(() => {
      renewing = undefined;
    });
    renewing = started;
    current = started;
    started.catch(() => {
      if (current === started) current = undefined;
    });
    return started;
  }

  const http = createHttp({
    ...shared,
    addressHint,
    ownAnswers: divvyCloudAnswers,
    authorize: async renew =>
      apiKey === undefined
        ? { ...jsonType, "x-auth-token": await sessionId(renew) }
        : { ...jsonType, "api-key": apiKey },
  });
  function userInfo(): Promise<UserInfo> {
    known ??= http
      .send<UserInfo>({ method: "GET", path: "/v2/public/user/info" })
      .then(({ body }) => body)
      .catch(error => {
        known = undefined;
        throw error;
      });
    return known;
  }

  return {
    http,
    organization: async () => (await userInfo()).organization_name,
    signIn() {
      checked ??= (
        apiKey === undefined ? sessionId(false).then(() => undefined) : userInfo().then(() => undefined)
      ).catch(error => {
        checked = undefined;
        throw error;
      });
      return checked;
    },
  };
}
