import { createHash } from "node:crypto";

/** One image of the fleet, as this program describes it. */
export interface FleetImage {
  /** Never changes: by it the image is found in its stack. */
  name: string;
  os: string;
  customer: number;
}

const systems = ["alpine", "debian", "fedora", "rocky", "ubuntu"];

/** The whole fleet: where yours comes from a file or an inventory, read it here. */
export function fleet(size = Number(process.env.FLEET_SIZE ?? 10_000)): FleetImage[] {
  return Array.from({ length: size }, (_, index) => {
    const os = systems[index % systems.length] as string;
    const customer = Math.floor(index / systems.length);
    return { name: `${os}-customer-${customer}`, os, customer };
  });
}

const stacks = Number(process.env.FLEET_STACKS ?? 20);

/**
 * The stack that an image belongs to. It depends on nothing but the image's name, so that an image never moves to another stack when others
 * come and go. With more than one connection, begin the name with the connection's: each stack then signs in to one account only.
 */
export function stackOf({ name }: FleetImage): string {
  return nameOf(createHash("sha256").update(name).digest().readUInt32BE() % stacks);
}

function nameOf(stack: number): string {
  return `part-${String(stack).padStart(String(stacks - 1).length, "0")}`;
}

/** The images of each stack, also where it has none (any more): what it made before has to go. */
export function byStack(): Map<string, FleetImage[]> {
  const parts = new Map<string, FleetImage[]>(Array.from({ length: stacks }, (_, stack) => [nameOf(stack), []]));
  for (const image of fleet()) parts.get(stackOf(image))?.push(image);
  return parts;
}
