import { ImagesError } from "../errors.ts";
import type { Headers, ServiceRequest } from "../http.ts";

/** What an answer says, as far as it matters here. */
export interface GivenAnswer {
  headers: Headers;
  body: unknown;
}

/** How a service's own answers are told from those of whatever else may stand at its address: a proxy, a gateway, a sign-in page. */
export interface OwnAnswers {
  /** By what an answer of its own is known, for people: `the header x-openstack-request-id`. */
  knownBy: string;
  /** Whether the answer itself shows that it is the service's own. */
  isOwn(answer: GivenAnswer): boolean;
  /**
   * A read that the service always answers: its sign of life, where an answer alone doesn't show whose it is.
   * @param path what wasn't found
   */
  sign(path: string): Pick<ServiceRequest, "method" | "path" | "query">;
  /** Whether the body is what only the service answers to that read. */
  isSign(body: unknown): boolean;
}

/** An answer that says "there is none", or "not for you", and may count as gone. */
export function saysAbsent(status: number, { accept }: ServiceRequest): boolean {
  return status === 404 || (status === 403 && accept?.includes(403) === true);
}

/** Finds out why an answer can't be the service's own. undefined: it is, as far as can be told. */
export type Doubt = (answer: GivenAnswer, request: ServiceRequest) => Promise<string | undefined>;

/**
 * Doubts answers that say "there is none". One that shows whose it is costs nothing. For any other the service is asked for a sign of life,
 * once for all that come while it is awaited; it is no older than the answer in doubt, so that a proxy that takes over in the middle of a run
 * isn't believed for what the service said before.
 * @param send sends a request once
 */
export function doubter(own: OwnAnswers, send: (request: ServiceRequest) => Promise<GivenAnswer>): Doubt {
  const awaited = new Map<string, Promise<GivenAnswer | Error>>();

  function lifeOf(sign: ReturnType<OwnAnswers["sign"]>): Promise<GivenAnswer | Error> {
    let answer = awaited.get(sign.path);
    if (answer === undefined) {
      answer = send({ ...sign, attempts: 1 })
        .catch((error: Error) => error)
        .finally(() => awaited.delete(sign.path));
      awaited.set(sign.path, answer);
    }
    return answer;
  }

  return async (answer, request) => {
    if (own.isOwn(answer)) return undefined;
    const sign = own.sign(request.path);
    const life = await lifeOf(sign);
    if (life instanceof Error) {
      if (!(life instanceof ImagesError)) throw life;
      return `${sign.method} ${sign.path} shows no sign of it either (${life.message})`;
    }
    if (!own.isSign(life.body)) return `${sign.method} ${sign.path} shows no sign of it either`;
    // A gateway may take the header from all answers, and may answer for a path that the service doesn't have.
    if (request.optional || !own.isOwn(life)) return undefined;
    return `it lacks ${own.knownBy}, by which the service's other answers are known`;
  };
}
