import { ImagesError } from "../../provider/errors.ts";
import type { Forge } from "./forge.ts";

export interface Done {
  outcome: "created" | "updated" | "unchanged" | "nothing to update";
  url?: string;
}

/** Writes a comment, or updates the one with the same marker: the text's first line. */
export async function put(forge: Forge, text: string, onlyUpdate: boolean): Promise<Done> {
  const [marker = ""] = text.split("\n");
  if (!/^<!-- pulumi-images .* -->$/.test(marker)) {
    throw new ImagesError("invalid", "the file doesn't begin with a marker, so its comment couldn't be found again", {
      hint: "Write it by pulumi-images drift --markdown",
    });
  }
  const old = await forge.find(marker);
  // GitHub and GitLab leave out blanks and line ends at the end.
  if (old !== undefined && old.body.trimEnd() === text.trimEnd()) return done("unchanged", old.url);
  if (old !== undefined) return done("updated", (await forge.update(old, text)).url);
  if (onlyUpdate) return done("nothing to update", undefined);
  return done("created", (await forge.create(text)).url);
}

function done(outcome: Done["outcome"], url: string | undefined): Done {
  return { outcome, ...(url === undefined ? {} : { url }) };
}
