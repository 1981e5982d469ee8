/** An image's whole wire form as text that two reads of an unchanged image have in common: Glance gives keys, tags and stores in any order. */
export function whole(image: object): string {
  return JSON.stringify(image, (key, value: unknown) => {
    if (Array.isArray(value)) return isTagList(key) ? value.toSorted() : value;
    if (typeof value === "string" && key === "stores") return value.split(",").sort().join(",");
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const isTagList = (key: string): boolean => ["tags", "members"].includes(key);
