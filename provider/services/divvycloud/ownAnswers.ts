import type { OwnAnswers } from "../../http/ownAnswers.ts";

/** What it answers when there is no such resource isn't documented, so that only a sign of life shows whose answer it is. */
export const divvyCloudAnswers: OwnAnswers = {
  knownBy: "its form",
  isOwn: () => false,
  sign: () => ({ method: "GET", path: "/v2/public/user/info" }),
  isSign: body => typeof body === "object" && body !== null && ("user_id" in body || "resource_id" in body),
};
