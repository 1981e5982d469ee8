/** Everything that the local Image API v1 remembers. */
export interface State {
  /** Deleted ones are kept: their ids can't be used again. Oldest first. */
  images: Image[];
}

export type Status = "queued" | "saving" | "active" | "killed" | "deleted" | "pending_delete";

/** An image under the names of the wire. */
export interface Image {
  id: string;
  name: string | null;
  status: Status;
  disk_format: string | null;
  container_format: string | null;
  /** Bytes; 0 as long as nothing is known. */
  size: number;
  /** MD5, hex. */
  checksum: string | null;
  is_public: boolean;
  protected: boolean;
  /** MB */
  min_ram: number;
  /** GB */
  min_disk: number;
  /** Project id. */
  owner: string | null;
  virtual_size: number | null;
  deleted: boolean;
  deleted_at: string | null;
  created_at: string;
  updated_at: string;
  /** null: set to nothing. */
  properties: Record<string, string | null>;
  members: Member[];
  /** Where the data is, when it was added by location: it is never copied. */
  location?: string;
  /** Where the data is being copied from. */
  copyFrom?: string;
}

export interface Member {
  member_id: string;
  can_share: boolean;
}

/** A time as Glance v1 writes it: UTC without saying so, in seconds with a fraction that is always 0, as databases keep it. */
export function timestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}.000000`;
}
