import type { OwnAnswers } from "../../http/ownAnswers.ts";
import { glanceAnswers } from "../glance/ownAnswers.ts";
import { jobs } from "./replicator.ts";

const glance = glanceAnswers("v2");

/** The replicator is another program behind the same address: whether it names its requests isn't documented, its list of jobs is. */
export const eclAnswers: OwnAnswers = {
  ...glance,
  sign: path => (path.startsWith(jobs) ? { method: "GET", path: jobs } : glance.sign(path)),
  isSign: body => Array.isArray(body) || glance.isSign(body),
};
