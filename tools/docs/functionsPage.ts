import { declaredFunctions } from "./sdkTypes.ts";

/** docs/functions.md: the sdk's functions, from their docstrings. */
export function functionsPage(): string {
  const lines = [
    "# Functions",
    "",
    "<!-- Written by npm run docs from sdk/functions. -->",
    "",
    "They look things up in the program's own process, on the same connections as the resources, in a preview too. Each gives a promise; beside it",
    "there is one called `…Output`, which takes inputs and gives an output. A program in CommonJS, where `await` isn't allowed at the top, uses that one.",
    "In a [unit test](programs.md#unit-tests), both ask Pulumi's mocks.",
    "",
  ];
  for (const { name, meaning, services } of declaredFunctions()) {
    lines.push(`## ${name}`, "");
    if (meaning !== "") lines.push(meaning, "");
    lines.push(`On ${services.map(service => `\`${service}\``).join(", ")}.`, "");
  }
  return lines.join("\n");
}
