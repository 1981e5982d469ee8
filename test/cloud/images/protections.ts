import { HttpError } from "./errors.ts";
import type { Caller } from "./state.ts";

/** What may be done to a property. */
type Action = "create" | "read" | "update" | "delete";

/**
 * One section of Glance's `property_protection_file`: the roles that each action needs. The first section that matches a
 * name decides; without one, nobody may do anything. `@` stands for everybody, `!` for nobody.
 * @see https://docs.openstack.org/glance/latest/admin/property-protections.html
 */
export interface PropertyProtection extends Record<Action, string[]> {
  /** A regular expression, which may match anywhere in the name. */
  property: string;
}

/** @param protections none: no property is protected */
export function allowed(
  protections: readonly PropertyProtection[],
  name: string,
  action: Action,
  caller: Pick<Caller, "roles">,
): boolean {
  // Glance's own properties are let through ahead of whatever the file says.
  if (protections.length === 0 || name.startsWith("os_glance")) return true;
  const roles = protections.find(({ property }) => new RegExp(property).test(name))?.[action] ?? [];
  if (roles.includes("!")) return false;
  return roles.includes("@") || roles.some(role => caller.roles.includes(role));
}

/** @throws HttpError 403 for a property that the caller may not create, update or delete */
export function mustBeAllowed(
  protections: readonly PropertyProtection[],
  name: string,
  action: Action,
  caller: Caller,
): void {
  if (!allowed(protections, name, action, caller)) {
    throw new HttpError(403, `Attribute '${name}' is reserved.`);
  }
}
