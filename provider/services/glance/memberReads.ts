import type { GlanceClient, WireMember } from "./client.ts";

interface Waiting {
  member: string;
  resolve(member: WireMember | undefined): void;
  reject(error: unknown): void;
}

/** Members of one image that are asked for at the same time are answered from one listing. */
export class MemberReads {
  readonly #client: GlanceClient;
  #waiting = new Map<string, Waiting[]>();

  constructor(client: GlanceClient) {
    this.#client = client;
  }

  read(imageId: string, member: string): Promise<WireMember | undefined> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(imageId);
      if (waiting !== undefined) {
        waiting.push({ member, resolve, reject });
        return;
      }
      this.#waiting.set(imageId, [{ member, resolve, reject }]);
      setTimeout(() => void this.#answer(imageId), 2);
    });
  }

  async #answer(imageId: string): Promise<void> {
    const waiting = this.#waiting.get(imageId) ?? [];
    this.#waiting.delete(imageId);
    try {
      const members = (await this.#client.members(imageId)) ?? [];
      for (const { member, resolve } of waiting) resolve(members.find(({ member_id }) => member_id === member));
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
