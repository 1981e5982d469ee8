/** An answer of Keystone that isn't a good one: `{"error": {"code", "message", "title"}}`. */
export class KeystoneError extends Error {
  readonly code: number;
  readonly title: string;

  constructor(code: number, title: string, message: string) {
    super(message);
    this.code = code;
    this.title = title;
  }
}

export const badRequest = (message: string) => new KeystoneError(400, "Bad Request", message);

export const unauthorized = () =>
  new KeystoneError(401, "Unauthorized", "The request you have made requires authentication.");

export const forbidden = (message: string) => new KeystoneError(403, "Forbidden", message);

export const notAllowed = (action: string) =>
  forbidden(`You are not authorized to perform the requested action: ${action}.`);

export const notFound = (message: string) => new KeystoneError(404, "Not Found", message);
