import { ImagesError } from "../errors.ts";
import type { Kind } from "../fields/field.ts";
import type { ImageService, Values } from "../services/service.ts";

/** Whether a program reads it by its id (`Image.get`). A refresh of what was read before brings outputs along, which all kinds have one of these of. */
export function isReadById({ managed, status, imageId }: Values): boolean {
  return managed === undefined && status === undefined && imageId === undefined;
}

/** An answer without an id would do for a refresh; of a read, Pulumi's process for dynamic providers makes a resource without outputs of it. */
export function nothingToRead(kind: Kind, id: string, { connection }: ImageService): ImagesError {
  return new ImagesError("not-found", `there is no ${kind} ${id} on the connection ${connection.name}`);
}
