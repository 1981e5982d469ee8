/** Says what a long step is doing now: a few words, shown behind the step's title. */
export type Report = (detail: string) => void;

const PLAIN_LINE_EVERY_MS = 20_000;

/**
 * Does one long step and shows on standard error that it goes on: one line with the time and the latest detail on a
 * terminal, else a line at the start, one every 20 seconds, and one at the end.
 */
export async function step<T>(title: string, work: (report: Report) => Promise<T>): Promise<T> {
  const started = Date.now();
  const seconds = (): string => `${Math.round((Date.now() - started) / 1000)} s`;
  const out = process.stderr;
  let detail = "";
  const live = (): void => {
    const line = `${title} … ${seconds()}  ${detail}`;
    out.write(`\r\x1b[2K${line.slice(0, (out.columns ?? 80) - 1)}`);
  };
  const plain = (): void => {
    out.write(`${title} … ${seconds()}  ${detail}\n`);
  };
  if (!out.isTTY) out.write(`${title} …\n`);
  const timer = setInterval(out.isTTY ? live : plain, out.isTTY ? 200 : PLAIN_LINE_EVERY_MS);
  const end = (outcome: string): void => {
    clearInterval(timer);
    out.write(`${out.isTTY ? "\r\x1b[2K" : ""}${title}: ${outcome} after ${seconds()}\n`);
  };
  try {
    const result = await work(text => {
      detail = text;
    });
    end("done");
    return result;
  } catch (error) {
    end("failed");
    throw error;
  }
}
