import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";

/** Takes pictures of a page as people see it: on a desk and on a phone, by day and by night. */
const widths = { desktop: 1280, phone: 390 };
/** Blink's words for prefers-color-scheme. */
const schemes = { dark: 0, light: 1 };

const command = new Command("screenshots")
  .description(
    "Takes pictures of a page of pulumi-images drift --html by a Chromium on PATH: at desktop and phone width, light and dark.",
  )
  .argument("<page>", "the HTML file")
  .argument("<folder>", "where the PNG files go")
  .option("--chromium <command>", "the browser", "chromium")
  .option("--height <pixels>", "of the window", "2400")
  .parse();
const [page = "", folder = ""] = command.args;
const { chromium, height } = command.opts<{ chromium: string; height: string }>();

await mkdir(folder, { recursive: true });
for (const [width, pixels] of Object.entries(widths)) {
  for (const [scheme, word] of Object.entries(schemes)) {
    const file = join(folder, `${width}-${scheme}.png`);
    const child = spawn(
      chromium,
      [
        ...[
          "--headless",
          "--no-sandbox",
          "--disable-gpu",
          "--hide-scrollbars",
          `--blink-settings=preferredColorScheme=${word}`,
        ],
        ...[`--window-size=${pixels},${height}`, `--screenshot=${resolve(file)}`, pathToFileURL(resolve(page)).href],
      ],
      { stdio: "ignore" },
    );
    const code = await new Promise(done => child.once("error", done).once("close", done));
    if (code !== 0) throw new Error(`${chromium} ended with ${String(code)}`);
    process.stdout.write(`${file}\n`);
  }
}
