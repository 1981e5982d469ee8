import type { PropertyProtection } from "./protections.ts";

/** What a test may tune on an Image API. Limits that are null don't exist. */
export interface ImageSettings {
  /** How many images a project may have; beyond it POST answers 413. */
  imageCountLimit: number | null;
  /** How much data a project may have, in MiB. It is checked before an upload, by its announced size. */
  imageSizeLimit: number | null;
  /** How much staged data a project may have, in MiB. */
  stageSizeLimit: number | null;
  /** How many uploads and imports a project may have going. */
  uploadingLimit: number | null;
  /** The largest image, in bytes. */
  imageSizeCap: number;
  maxProperties: number;
  /** Who may do what with which properties; none: everybody everything. */
  propertyProtections: readonly PropertyProtection[];
  maxTags: number;
  maxMembers: number;
  maxLocations: number;
  /** Who may copy an image to another store: an admin only (Glance's default), or members of the owning project only. */
  copyImage: "admin" | "member";
  /** How many images a listing has when the client doesn't say, and at most. */
  defaultPageSize: number;
  maxPageSize: number;
  /** Milliseconds between the reading of an image and the saving of all of it, which is where parallel changes lose each other. */
  saveDelay: number;
  /** Milliseconds that an import stays in each of its states, so that a client sees them. */
  importDelay: number;
  /** Whether data must be what disk_format says. */
  formatCheck: boolean;
  /** The hosts that web-download may ask. */
  downloadHosts: string[];
  /** Whether images show their locations and direct_url. */
  showLocations: boolean;
}

export const imageDefaults: ImageSettings = {
  imageCountLimit: null,
  imageSizeLimit: null,
  stageSizeLimit: null,
  uploadingLimit: null,
  imageSizeCap: 1024 ** 4,
  maxProperties: 128,
  propertyProtections: [],
  maxTags: 128,
  maxMembers: 128,
  maxLocations: 10,
  copyImage: "member",
  defaultPageSize: 25,
  maxPageSize: 1000,
  saveDelay: 4,
  importDelay: 30,
  formatCheck: true,
  downloadHosts: ["127.0.0.1"],
  showLocations: false,
};
