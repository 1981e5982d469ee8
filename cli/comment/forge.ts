import { readFileSync } from "node:fs";
import { ImagesError } from "../../provider/errors.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";

/** Comments of one pull or merge request. */
export interface Forge {
  /** The first of our own comments that begins with this text. */
  find(beginning: string): Promise<Comment | undefined>;
  create(text: string): Promise<Comment>;
  update(comment: Comment, text: string): Promise<Comment>;
}

export interface Comment {
  id: number;
  body: string;
  /** Its address for people. */
  url?: string;
}

/**
 * The pull or merge request that a CI job runs for, by the variables that GitHub Actions and GitLab CI set.
 * @param caFile authorities to trust besides the usual ones. Default: what GitLab's runner was given for its own server
 * @throws ImagesError "configuration" where it is none, or a token is missing
 */
export function forgeOf(env: NodeJS.ProcessEnv, caFile?: string): Forge {
  if (env.GITHUB_ACTIONS === "true") {
    return github({
      url: env.GITHUB_API_URL ?? "https://api.github.com",
      caFile,
      repository: needed(env, "GITHUB_REPOSITORY"),
      number: pullRequestOf(env),
      token: needed(
        env,
        "GITHUB_TOKEN",
        "hand the step github.token as env GITHUB_TOKEN, and give the job permissions: pull-requests: write",
      ),
    });
  }
  if (env.GITLAB_CI === "true") {
    return gitlab({
      url: needed(env, "CI_API_V4_URL"),
      caFile: caFile ?? (env.CI_SERVER_TLS_CA_FILE || undefined),
      project: needed(env, "CI_PROJECT_ID"),
      number: needed(env, "CI_MERGE_REQUEST_IID", "it is set in merge request pipelines only"),
      token: needed(
        env,
        "GITLAB_TOKEN",
        "set it to a project access token with the scope api, as CI_JOB_TOKEN can't comment",
      ),
    });
  }
  throw new ImagesError("configuration", "this is no job of GitHub Actions or GitLab CI");
}

function needed(env: NodeJS.ProcessEnv, name: string, hint?: string): string {
  const value = env[name];
  if (value !== undefined && value !== "") return value;
  throw new ImagesError("configuration", `${name} isn't set`, hint === undefined ? {} : { hint });
}

function pullRequestOf({ GITHUB_REF, GITHUB_EVENT_PATH }: NodeJS.ProcessEnv): string {
  const [, number] = /^refs\/pull\/(\d+)\//.exec(GITHUB_REF ?? "") ?? [];
  if (number !== undefined) return number;
  const event = GITHUB_EVENT_PATH === undefined ? {} : JSON.parse(readFileSync(GITHUB_EVENT_PATH, "utf8"));
  const found: unknown = event.pull_request?.number;
  if (typeof found === "number") return String(found);
  throw new ImagesError("configuration", "this job doesn't run for a pull request");
}
