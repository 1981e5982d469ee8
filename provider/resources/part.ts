import { urnOf } from "../../shared/resourceName.ts";
import { warn } from "../engine.ts";
import { ImagesError } from "../errors.ts";
import { hasUnknown, type Kind, type Problem } from "../fields/field.ts";
import { type Conflict, claims, refuseConflicts, thisRun } from "../reconcile/claims.ts";
import { configure, serviceOf, tableOf } from "../runtime.ts";
import type { Facts, ImageService, PartService, Values } from "../services/service.ts";
import { declaredIn, problemsIn } from "./checks.ts";
import { jobOf, momentOf } from "./job.ts";
import { changesOf, inputsFrom, outputsFrom, refreshedOutputs } from "./managed.ts";
import { type Provider, partly, toFailures } from "./provider.ts";
import { isReadById, nothingToRead } from "./readById.ts";
import {
  currentWhereabouts,
  demandReach,
  demandSameAccount,
  isMissing,
  rememberedAs,
  stillRemembered,
} from "./sameAccount.ts";
import { changedIn, generationOf, noteInputs } from "./stateInputs.ts";

/** The lifecycle of what belongs to an image and is managed by itself: a member, a tag, a copy. */
export function partProvider(kind: Kind, partOf: (service: ImageService) => PartService | undefined): Provider {
  /** The table says whether a service has such parts, so the service does have them here. */
  const part = (inputs: Values) => {
    tableOf(kind, inputs.service);
    return partOf(serviceOf(inputs)) as PartService;
  };
  /** The service in whose account it is. */
  const holder = (values: Values) => part(values).holder?.(values) ?? serviceOf(values);

  /** What is to be deleted has to be within reach: see sameAccount.ts. @returns whether that is another account's */
  async function demandReachOf(id: string, props: Values): Promise<boolean> {
    return await demandReach(holder(props), `${kind} ${id}`, props, () => isSeen(id, props));
  }

  const isSeen = async (id: string, props: Values) => (await part(props).read(id, props)) !== undefined;

  return {
    configure: async request => configure(request.config),

    async check(olds, news) {
      const [inputs, ignored] = declaredIn(kind, olds, news);
      noteInputs(inputs.resource, olds);
      claims.declare(String(inputs.resource), []);
      const generation = generationOf(inputs.resource, olds);
      const replaced = generation > 0 ? { generation } : {};
      const problems = await problemsIn(kind, inputs, ignored, async service => {
        const part = partOf(service);
        const known = Object.keys(olds).length > 0 ? olds : undefined;
        const found = await part?.check?.({ ...inputs, ...replaced }, known);
        Object.assign(inputs, ignored.keptIn({ ...inputs, ...found?.inputs }));
        for (const warning of found?.warnings ?? []) warn(warning, urnOf(String(inputs.resource)));
        const problems = await lasting(service, inputs, found?.problems ?? []);
        if (part === undefined || problems.length > 0) return problems;
        return await declaredTwice(part, inputs);
      });
      if (problems.length > 0) return { inputs: news, failures: toFailures(problems) };
      return { inputs: { ...inputs, ...replaced, __provider: news.__provider } };
    },

    async diff(id, olds, news) {
      const { updates, replaces } = changesOf(tableOf(kind, news.service), olds, news);
      if (olds.connection !== news.connection && olds.service === news.service) {
        const there = hasUnknown(news) || (await part(news).read(id, news)) !== undefined;
        (there ? updates : replaces).push("connection");
      }
      if (isBroken(olds)) {
        const can =
          hasUnknown([news.connection, news.to]) ||
          ((await part(news).completable?.(id, news, momentOf(news))) ?? true);
        (can ? updates : replaces).push("status");
      }
      if (replaces.length > 0 && olds.connection === news.connection) await demandReachOf(id, olds);
      // A refresh has what it saw compared, too: with the state's inputs, in which the resource can have an old name.
      if (replaces.length === 0 && claims.has(String(news.resource)) && !hasUnknown([news.connection, news.to]))
        refuseConflicts(await hold(part(news), id, { ...olds, ...news }));
      // Old and new can be one and the same thing to the service, and the old one is deleted last otherwise.
      const changes = replaces.length > 0 || (updates.length > 0 && changedIn(news));
      return { changes, replaces, deleteBeforeReplace: kind !== "ImageCopy" };
    },

    async create(inputs) {
      const table = tableOf(kind, inputs.service);
      const asking = currentWhereabouts(holder(inputs));
      const account = async () => rememberedAs(holder(inputs), await asking);
      try {
        const job = jobOf("create", inputs);
        const keys = claims.of(String(inputs.resource));
        const facts = await claims.inTurn(keys, () => part(inputs).create(inputs, job));
        const outs = { ...outputsFrom(table, inputs, facts), ...(await account()), run: thisRun };
        await hold(part(inputs), facts.id, outs);
        return { id: facts.id, outs };
      } catch (error) {
        const known = await account();
        throw partly(error, facts => ({ ...outputsFrom(table, inputs, facts), ...known, run: thisRun }));
      }
    },

    async read(id, props) {
      const found = await part(props).read(id, props);
      // An offer that isn't seen any more passes for accepted, and what another account is told of may be less.
      if (props.managed !== undefined && (found === undefined || found.status !== props.status))
        await demandSameAccount(holder(props), `${kind} ${id}`, props);
      if (found === undefined && isReadById(props)) throw nothingToRead(kind, id, holder(props));
      if (found === undefined) return { id: "", props: {} };
      const facts = props.status === "unfinished" ? { ...found, status: "unfinished" } : found;
      const table = tableOf(kind, props.service);
      if (props.managed === undefined) return { id, props: outputsFrom(table, props, facts), inputs: props };
      return { id, props: refreshedOutputs(table, props, facts), inputs: inputsFrom(table, props, facts) };
    },

    async update(id, olds, news) {
      const table = tableOf(kind, news.service);
      const { updates } = changesOf(table, olds, news);
      const unfinished = isBroken(olds);
      const account = await stillRemembered(holder(news), olds, news);
      const made = { ...(olds.run === undefined ? {} : { run: olds.run }), ...ownerTagIn(olds), ...account };
      const outputs = (facts: Facts): Values => ({ ...outputsFrom(table, news, facts), ...made });
      try {
        const written = updates.filter(name => table.fields[name]?.change === "update" && news[name] !== undefined);
        if (unfinished) written.push("status");
        const facts =
          written.length > 0
            ? await claims.inTurn([...claims.of(String(news.resource)), ...(await part(news).keysOf(olds))], () =>
                part(news).update(id, news, written, jobOf("update", news), olds),
              )
            : await part(news).read(id, news);
        if (facts === undefined) throw goneOutside(kind, id);
        return { outs: outputs(facts) };
      } catch (error) {
        if (isMissing(error)) await demandSameAccount(holder(olds), `${kind} ${id}`, olds);
        throw partly(error, outputs);
      }
    },

    async delete(id, props) {
      const isAnothers = await demandReachOf(id, props);
      const job = jobOf("delete", props);
      const own = await part(props).ownImage?.(id, props);
      if (own !== undefined && job.stays(own)) return;
      await claims.inTurn(await part(props).keysOf(props), () => part(props).delete(id, props, job));
      // To a service it may be the same whether it isn't there or isn't this account's to take away.
      if (isAnothers && (await isSeen(id, props))) await demandSameAccount(holder(props), `${kind} ${id}`, props);
      claims.release(String(props.resource), props.run as string | undefined);
    },
  };
}

/** The problems that stay: an Image of this program that an earlier run left unfinished is finished before what is declared of it. */
async function lasting(service: ImageService, { imageId }: Values, problems: Problem[]): Promise<Problem[]> {
  if (!problems.some(({ untilReady }) => untilReady)) return problems;
  const key = { kind: "image", cloud: await service.address(), imageId: String(imageId).toLowerCase() } as const;
  return claims.isDeclared(key) ? problems.filter(({ untilReady }) => !untilReady) : problems;
}

/** The owner tag of a copy that is an image: a new name of the resource doesn't change it. */
function ownerTagIn({ ownerTag }: Values): Values {
  return ownerTag === undefined ? {} : { ownerTag };
}

/** What ended before it was done, by itself or by somebody's doing, and can be gone on with. */
function isBroken({ status }: Values): boolean {
  return status === "unfinished" || status === "error" || status === "canceled";
}

/** What a resource declares that another resource of the program declares, too. */
async function declaredTwice(part: PartService, inputs: Values): Promise<Problem[]> {
  if (hasUnknown(inputs)) return [];
  const conflicts = claims.declare(String(inputs.resource), await part.keysOf(inputs));
  return conflicts.map(({ key, reason }) => ({ property: key.kind === "tag" ? "tag" : "imageId", reason }));
}

/** Notes that a resource has what it declares. @returns the other resource that has its image, or a tag of it, too */
async function hold(part: PartService, id: string, outputs: Values): Promise<Conflict[]> {
  const { resource, run, to } = outputs;
  claims.hold(String(resource), run as string | undefined);
  const own = await part.ownImage?.(id, outputs);
  if (own === undefined) return [];
  // A copy that declares tags declares the whole list, as an Image does.
  const { tags } = (to ?? {}) as { tags?: string[] };
  const list = tags === undefined ? [] : [undefined, ...tags];
  const tagKeys = list.map(entry => ({ ...own, kind: "tag" as const, ...(entry === undefined ? {} : { entry }) }));
  return claims.add(String(resource), [own, ...tagKeys]);
}

function goneOutside(kind: Kind, id: string): ImagesError {
  return new ImagesError("not-found", `${kind} ${id} is no longer there`, {
    hint: "Run pulumi up --refresh: it sees that it is gone and makes it again",
  });
}
