import { STATUS_CODES } from "node:http";

/** An error as webob answers it: plain text where Glance says so, else HTML. Never JSON. */
export class HttpError extends Error {
  readonly status: number;
  readonly html: boolean;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, options: { html?: boolean; headers?: Record<string, string> } = {}) {
    super(message);
    this.status = status;
    this.html = options.html ?? false;
    this.headers = options.headers ?? {};
  }

  get contentType(): string {
    return this.html ? "text/html; charset=UTF-8" : "text/plain; charset=UTF-8";
  }

  get body(): string {
    const title = `${this.status} ${STATUS_CODES[this.status]}`;
    if (!this.html) return `${title}\n\n${this.message}\n\n   `;
    const text = this.message.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    return `<html>\n <head>\n  <title>${title}</title>\n </head>\n <body>\n  <h1>${title}</h1>\n  ${text}<br /><br />\n\n\n\n </body>\n</html>`;
  }
}

export const badRequest = (message: string) => new HttpError(400, message);
export const forbidden = (message: string) => new HttpError(403, message);
export const noImage = (id: string) => new HttpError(404, `Image with identifier ${id} not found`);
