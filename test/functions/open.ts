import { type Functions, openFunctions } from "../../provider/functions/index.ts";

/** The functions on these connections, as the stack's configuration would have them; nothing of the environment counts. */
export function functionsOn(connections: Record<string, Record<string, unknown>>, warnings: string[] = []): Functions {
  const config = { get: (key: string) => (key === "images:connections" ? JSON.stringify(connections) : undefined) };
  return openFunctions(config, { HOME: "/nonexistent" }, warning => void warnings.push(warning));
}
