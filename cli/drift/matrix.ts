import { driftClasses } from "./classify.ts";
import { isPending, type ResourceReport } from "./report.ts";
import { compare } from "./values.ts";
import { standing } from "./words.ts";

/** Which image is where, and how it is there. */
export interface Matrix {
  /** Connections, and tenants that images are copied to. */
  places: string[];
  rows: { image: string; cells: (Cell | undefined)[] }[];
}

export interface Cell {
  /** All that is found of the image there: classes of drift, "pending", or just "ok". */
  standing: ReturnType<typeof standing>;
  /** The image or its copy itself is gone from there. */
  gone: boolean;
  /** The resources that it is about. */
  urns: string[];
}

/** Images by place; those that something was found of come first. */
export function matrixOf(resources: readonly ResourceReport[]): Matrix {
  const placeOf = ({ connection, target }: ResourceReport) => target ?? connection;
  const places = [...new Set(resources.map(placeOf))].sort(compare);
  const images = [...new Set(resources.map(({ image }) => image))].sort(compare);
  const rows = images.map(image => {
    const own = resources.filter(resource => resource.image === image);
    return { image, cells: places.map(place => cellOf(own.filter(resource => placeOf(resource) === place))) };
  });
  return { places, rows: rows.sort((one, other) => urgency(one.cells) - urgency(other.cells)) };
}

const order = [...driftClasses, "pending", "ok"] as const;

function cellOf(resources: readonly ResourceReport[]): Cell | undefined {
  if (resources.length === 0) return undefined;
  const found = new Set(resources.flatMap(standing));
  const worst = order.filter(each => found.has(each) && (each !== "ok" || found.size === 1));
  return {
    standing: worst,
    gone: resources.some(({ kind, gone }) => gone && (kind === "Image" || kind === "ImageCopy")),
    urns: resources.filter(resource => resource.classes.length > 0 || isPending(resource)).map(({ urn }) => urn),
  };
}

function urgency(cells: readonly (Cell | undefined)[]): number {
  return Math.min(...cells.flatMap(cell => (cell?.standing ?? []).map(each => order.indexOf(each))));
}
