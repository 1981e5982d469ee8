import { join } from "node:path";
import ts from "typescript";
import type { Kind } from "../../provider/fields/field.ts";

const root = join(import.meta.dirname, "..", "..");

/** One field as the sdk's types declare it. */
export interface DeclaredField {
  name: string;
  /** TypeScript, without Pulumi's Input around it. */
  type: string;
  /** Its docstring, on one line. */
  meaning: string;
  optional: boolean;
}

/** A type that fields refer to. */
export interface NamedType {
  name: string;
  meaning: string;
  /** The fields of an object, or … */
  fields: DeclaredField[];
  /** … what else it stands for. */
  text: string | undefined;
}

const entry = join(root, "sdk", "index.ts");
let opened: { program: ts.Program; checker: ts.TypeChecker; exports: ts.Symbol[] } | undefined;

function sdk() {
  if (opened !== undefined) return opened;
  const program = ts.createProgram([entry], compilerOptions());
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(entry) as ts.SourceFile) as ts.Symbol;
  const exports = checker
    .getExportsOfModule(module)
    .map(symbol => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol));
  opened = { program, checker, exports };
  return opened;
}

function compilerOptions(): ts.CompilerOptions {
  const file = join(root, "tsconfig.json");
  return ts.parseJsonConfigFileContent(ts.readConfigFile(file, ts.sys.readFile).config, ts.sys, root).options;
}

/** For each of some inputs of a resource on a service, whether the sdk's types allow them, whatever else is declared. */
export function allowedByTypes(kind: Kind, service: string, inputs: readonly object[]): boolean[] {
  const file = join(root, "sdk", "probe.ts");
  const type = `Partial<Extract<import("./index.ts").${kind}Args, { service: "${service}" }>>`;
  const lines = inputs.map((input, index) => `export const probe${index}: ${type} = ${JSON.stringify(input)};`);
  const host = ts.createCompilerHost(compilerOptions());
  const { getSourceFile } = host;
  host.getSourceFile = (path, ...rest) =>
    path === file
      ? ts.createSourceFile(path, lines.join("\n"), ts.ScriptTarget.ES2023)
      : (sdk().program.getSourceFile(path) ?? getSourceFile(path, ...rest));
  const program = ts.createProgram([file], compilerOptions(), host);
  const source = program.getSourceFile(file) as ts.SourceFile;
  const refused = new Set(
    program.getSemanticDiagnostics(source).map(({ start }) => source.getLineAndCharacterOfPosition(start ?? 0).line),
  );
  return inputs.map((_, index) => !refused.has(index));
}

/** The fields that a program may declare of a resource on a service, as its argument type has them; `connection` before its own. */
export function declaredFields(kind: Kind, service: string): DeclaredField[] {
  const { checker, exports } = sdk();
  const table = exports.find(({ name }) => name === `${kind}ArgsOf`);
  if (table === undefined) throw new Error(`The sdk has no type ${kind}ArgsOf.`);
  const args = checker.getDeclaredTypeOfSymbol(table).getProperty(service);
  const type = args && checker.getTypeOfSymbol(args);
  const found = new Map<string, DeclaredField>();
  const alternatives = (type?.isUnion() ? type.types : type ? [type] : []).map(alternative =>
    alternative.getProperties().flatMap(property => fieldOf(property) ?? []),
  );
  for (const field of alternatives.flat()) {
    const everywhere = alternatives.every(fields =>
      fields.some(({ name, optional }) => name === field.name && !optional),
    );
    if (!found.has(field.name)) found.set(field.name, { ...field, optional: !everywhere });
  }
  found.delete("service");
  const { connection, ...own } = Object.fromEntries(found);
  return [...(connection === undefined ? [] : [connection]), ...Object.values(own)];
}

/** The types that these types (TypeScript) refer to, and those that they refer to in turn; in the order of the sdk. */
export function typesReferredTo(types: Iterable<string>): NamedType[] {
  const all = exportedTypes();
  const found = new Set<NamedType>();
  const texts = [...types];
  for (const text of texts) {
    for (const type of all) {
      if (found.has(type) || !new RegExp(`\\b${type.name}\\b`).test(text)) continue;
      found.add(type);
      texts.push(type.text ?? "", ...type.fields.map(field => field.type));
    }
  }
  return all.filter(type => found.has(type));
}

/** The types that the sdk exports besides its classes and their arguments. */
function exportedTypes(): NamedType[] {
  const { checker, exports } = sdk();
  return exports.flatMap((symbol): NamedType[] => {
    const [declaration] = symbol.declarations ?? [];
    const meaning = docOf(symbol);
    if (declaration === undefined || /(Args|Lookup|LeaveOut)$/.test(symbol.name)) return [];
    if (ts.isTypeAliasDeclaration(declaration))
      return [{ name: symbol.name, meaning, fields: [], text: plain(declaration.type.getText()) }];
    if (!ts.isInterfaceDeclaration(declaration)) return [];
    const properties = checker.getDeclaredTypeOfSymbol(symbol).getProperties();
    return [{ name: symbol.name, meaning, fields: properties.flatMap(one => fieldOf(one) ?? []), text: undefined }];
  });
}

/** A function of the sdk. */
export interface DeclaredFunction {
  name: string;
  /** Its docstring, as it is. */
  meaning: string;
  /** The services that it can ask. */
  services: string[];
}

/** The sdk's functions; of each pair the one that gives a promise. */
export function declaredFunctions(): DeclaredFunction[] {
  const { checker, exports } = sdk();
  return exports
    .filter(({ name, flags }) => flags & ts.SymbolFlags.Function && !name.endsWith("Output"))
    .map(symbol => {
      const [signature] = checker.getSignaturesOfType(checker.getTypeOfSymbol(symbol), ts.SignatureKind.Call);
      const argument = signature?.parameters[0];
      const service = argument && checker.getTypeOfSymbol(argument).getProperty("service");
      if (service === undefined) throw new Error(`${symbol.name} doesn't take a service.`);
      const type = checker.getTypeOfSymbol(service);
      const possible = checker.getBaseConstraintOfType(type) ?? type;
      const literals = possible.isUnion() ? possible.types : [possible];
      return {
        name: symbol.name,
        meaning: ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim(),
        services: literals.flatMap(literal => (literal.isStringLiteral() ? literal.value : [])),
      };
    });
}

function fieldOf(property: ts.Symbol): DeclaredField | undefined {
  const declaration = property.declarations?.find(ts.isPropertySignature);
  // A field that is only there to be refused.
  if (declaration?.type === undefined || declaration.type.getText().startsWith("LeaveOut<")) return undefined;
  return {
    name: property.name,
    type: plain(declaration.type.getText()),
    meaning: docOf(property),
    optional: declaration.questionToken !== undefined,
  };
}

function docOf(symbol: ts.Symbol): string {
  return ts.displayPartsToString(symbol.getDocumentationComment(sdk().checker)).replaceAll(/\s+/g, " ").trim();
}

/** A type without `Input<…>` around it or anything in it, and without fields that are only there to be refused, on one line. */
function plain(type: string): string {
  let text = type
    .replaceAll(/\s+/g, " ")
    .replace(/^\| /, "")
    .replaceAll(/\w+\?: LeaveOut<"[^"]*">; /g, "");
  for (let at = text.indexOf("Input<"); at >= 0; at = text.indexOf("Input<")) {
    let depth = 0;
    let close = at + "Input".length;
    do {
      if (text[close] === "<") depth++;
      if (text[close] === ">") depth--;
      close++;
    } while (depth > 0);
    const inner = text.slice(at + "Input<".length, close - 1);
    const grouped = inner.includes("|") && text[close] === "[" ? `(${inner})` : inner;
    text = text.slice(0, at) + grouped + text.slice(close);
  }
  return text;
}
