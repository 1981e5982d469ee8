/** A region as it is served. */
export interface Region {
  name: string;
  slug: string;
  features: string[];
  available: boolean;
  sizes: string[];
}

const NAMES: Record<string, string> = {
  ams1: "Amsterdam 1",
  ams2: "Amsterdam 2",
  ams3: "Amsterdam 3",
  blr1: "Bangalore 1",
  fra1: "Frankfurt 1",
  lon1: "London 1",
  nyc1: "New York 1",
  nyc2: "New York 2",
  nyc3: "New York 3",
  sfo1: "San Francisco 1",
  sfo2: "San Francisco 2",
  sfo3: "San Francisco 3",
  sgp1: "Singapore 1",
  syd1: "Sydney 1",
  tor1: "Toronto 1",
};

/** Regions that are listed but take no new droplets or images: our choice of two, so that programs meet one. */
const CLOSED = ["ams1", "nyc2"];

/** All regions by slug. */
export const REGIONS: ReadonlyMap<string, Region> = new Map(
  Object.entries(NAMES).map(([slug, name]) => {
    const available = !CLOSED.includes(slug);
    return [
      slug,
      {
        name,
        slug,
        features: ["backups", "ipv6", "metadata", "install_agent", "storage", ...(available ? ["image_transfer"] : [])],
        available,
        sizes: available ? ["s-1vcpu-1gb", "s-1vcpu-2gb", "s-2vcpu-2gb", "s-2vcpu-4gb", "s-4vcpu-8gb"] : [],
      },
    ];
  }),
);
