import { ImagesError } from "../errors.ts";
import { hasUnknown, type Kind, type Problem } from "../fields/field.ts";
import { configure, serviceOf, tableOf } from "../runtime.ts";
import type { ImageService, PartService, Values } from "../services/service.ts";
import { declaredIn, problemsIn } from "./checks.ts";
import { generationOf } from "./generation.ts";
import { jobOf, momentOf } from "./job.ts";
import { changesOf, inputsFrom, outputsFrom, refreshedOutputs } from "./managed.ts";
import { type Provider, partly, toFailures } from "./provider.ts";
import {
  currentAccount,
  demandOwnReplacement,
  demandReach,
  demandSameAccount,
  isMissing,
  rememberedAs,
  stillRemembered,
} from "./sameAccount.ts";
import { tagOwner } from "./tagOwners.ts";

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
      const inputs = declaredIn(news);
      const problems = await problemsIn(kind, inputs, async service => {
        const found = await partOf(service)?.check?.(inputs, Object.keys(olds).length > 0 ? olds : undefined);
        Object.assign(inputs, found?.inputs);
        return [...(kind === "ImageTag" ? fights(inputs) : []), ...(found?.problems ?? [])];
      });
      if (problems.length > 0) return { inputs: news, failures: toFailures(problems) };
      const generation = generationOf(String(inputs.resource), olds);
      return { inputs: { ...inputs, ...(generation > 0 ? { generation } : {}), __provider: news.__provider } };
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
      if (replaces.length > 0 && olds.connection === news.connection) {
        if (kind === "ImageCopy")
          await demandOwnReplacement(holder(olds), `${kind} ${id}`, olds, () => isSeen(id, olds));
        else await demandReachOf(id, olds);
      }
      // Old and new can be one and the same thing to the service, and the old one is deleted last otherwise.
      return { changes: updates.length + replaces.length > 0, replaces, deleteBeforeReplace: kind !== "ImageCopy" };
    },

    async create(inputs) {
      const table = tableOf(kind, inputs.service);
      const asking = currentAccount(holder(inputs));
      const account = async () => rememberedAs(holder(inputs), await asking);
      try {
        const facts = await part(inputs).create(inputs, jobOf("create", inputs));
        return { id: facts.id, outs: { ...outputsFrom(table, inputs, facts), ...(await account()) } };
      } catch (error) {
        const known = await account();
        throw partly(error, facts => ({ ...outputsFrom(table, inputs, facts), ...known }));
      }
    },

    async read(id, props) {
      const found = await part(props).read(id, props);
      // An offer that isn't seen any more passes for accepted, and what another account is told of may be less.
      if (props.managed !== undefined && (found === undefined || found.status !== props.status))
        await demandSameAccount(holder(props), `${kind} ${id}`, props);
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
      try {
        const written = updates.filter(name => table.fields[name]?.change === "update" && news[name] !== undefined);
        if (unfinished) written.push("status");
        const facts =
          written.length > 0
            ? await part(news).update(id, news, written, jobOf("update", news), olds)
            : await part(news).read(id, news);
        if (facts === undefined) throw goneOutside(kind, id);
        return { outs: { ...outputsFrom(table, news, facts), ...account } };
      } catch (error) {
        if (isMissing(error)) await demandSameAccount(holder(olds), `${kind} ${id}`, olds);
        throw partly(error, facts => ({ ...outputsFrom(table, news, facts), ...account }));
      }
    },

    async delete(id, props) {
      const isAnothers = await demandReachOf(id, props);
      await part(props).delete(id, props, jobOf("delete", props));
      // To a service it may be the same whether it isn't there or isn't this account's to take away.
      if (isAnothers && (await isSeen(id, props))) await demandSameAccount(holder(props), `${kind} ${id}`, props);
    },
  };
}

/** What ended before it was done, by itself or by somebody's doing, and can be gone on with. */
function isBroken({ status }: Values): boolean {
  return status === "unfinished" || status === "error" || status === "canceled";
}

/** An Image that declares its tags takes every other tag for drift. */
function fights({ imageId, tag }: Values): Problem[] {
  const owner = tagOwner(imageId);
  if (owner === undefined) return [];
  const reason = `the Image ${owner} declares all tags of this image, and would take ${JSON.stringify(tag)} away again: add the tag there, or leave tags out there`;
  return [{ property: "tag", reason }];
}

function goneOutside(kind: Kind, id: string): ImagesError {
  return new ImagesError("not-found", `${kind} ${id} is no longer there`, {
    hint: "Run pulumi up --refresh: it sees that it is gone and makes it again",
  });
}
