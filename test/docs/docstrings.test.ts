// Each name that the package exports has a docstring, and so has each public member of it and each type that its
// signatures name, in both languages: editors show it. An override may have that of the member that it overrides;
// constructors, and what is private or `@internal`, need none.
import path from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const ENTRIES = [
  { folder: "host", entries: ["host/index.ts"], namesMin: 800 },
  { folder: "assembly", entries: ["assembly/index.ts", "assembly/web/index.ts"], namesMin: 400 },
];

for (const { folder, entries, namesMin } of ENTRIES) {
  test(`each exported name of ${folder} has a docstring`, () => {
    const { count, missing } = docstringsOf(folder, entries);
    expect(missing.sort(), "write what it is, its unit, its default and what it throws").toEqual([]);
    expect(count).toBeGreaterThan(namesMin);
  });
}

/** What the files in `entries` export, counted with the members of each, and where a docstring is missing. */
function docstringsOf(folder: string, entries: string[]): { count: number; missing: string[] } {
  const program = programOf(folder, entries);
  const checker = program.getTypeChecker();
  const root = path.resolve(folder) + path.sep;
  const seen = new Set<ts.Declaration>();
  const missing: string[] = [];
  const visit = (symbol: ts.Symbol, name: string): void => {
    const declarations = symbol.declarations?.filter((node) => node.getSourceFile().fileName.startsWith(root)) ?? [];
    const [first] = declarations;
    if (first === undefined || seen.has(first) || ts.isTypeParameterDeclaration(first)) return;
    if (declarations.some(isHidden)) return;
    seen.add(first);
    // A module that is exported as a name has its opening in place of a docstring.
    const isDescribed = ts.isSourceFile(first) || symbol.getDocumentationComment(checker).length > 0;
    if (!isDescribed) missing.push(`${placeOf(first)} ${name}`);
    for (const member of membersOf(symbol, declarations, checker)) visit(member, `${name}.${member.name}`);
    for (const declaration of declarations) follow(declaration);
  };
  const follow = (node: ts.Node): void => {
    if (ts.isBlock(node) || isHidden(node)) return;
    const named = ts.isTypeReferenceNode(node) ? checker.getSymbolAtLocation(node.typeName) : undefined;
    if (named !== undefined) visit(meant(named), named.name);
    ts.forEachChild(node, follow);
  };
  const meant = (symbol: ts.Symbol): ts.Symbol =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
    for (const exported of checker.getExportsOfModule(module)) visit(meant(exported), exported.name);
  }
  return { count: seen.size, missing };
}

function programOf(folder: string, entries: string[]): ts.Program {
  const { config } = ts.readConfigFile(`${folder}/tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  return ts.createProgram(entries, options);
}

function placeOf(node: ts.Node): string {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return `${path.relative("", source.fileName)}:${line + 1}`;
}

/** Members of a class or interface (inherited ones too), of a type's meaning, of a module, enum or object type. */
function membersOf(symbol: ts.Symbol, declarations: ts.Declaration[], checker: ts.TypeChecker): ts.Symbol[] {
  const { Class, Interface, TypeAlias, ValueModule, Enum } = ts.SymbolFlags;
  const propertiesOf = (type: ts.Type): ts.Symbol[] =>
    type.isUnion() ? type.types.flatMap(propertiesOf) : checker.getPropertiesOfType(type);
  const members: ts.Symbol[] = [];
  if (symbol.flags & (Class | Interface | TypeAlias))
    members.push(...propertiesOf(checker.getDeclaredTypeOfSymbol(symbol)));
  if (symbol.flags & Class) {
    const statics = checker.getPropertiesOfType(checker.getTypeOfSymbol(symbol));
    members.push(...statics.filter(({ name }) => name !== "prototype"));
  }
  if (symbol.flags & (ValueModule | Enum)) members.push(...checker.getExportsOfModule(symbol));
  for (const declaration of declarations)
    if (ts.isPropertySignature(declaration) && declaration.type && ts.isTypeLiteralNode(declaration.type))
      members.push(...propertiesOf(checker.getTypeFromTypeNode(declaration.type)));
  return members;
}

/** Private, `#` or `@internal`: not for those who import it. */
function isHidden(node: ts.Node): boolean {
  if (ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal")) return true;
  const name = ts.getNameOfDeclaration(node as ts.Declaration);
  const isPrivate = (ts.getCombinedModifierFlags(node as ts.Declaration) & ts.ModifierFlags.Private) !== 0;
  return isPrivate || (name !== undefined && ts.isPrivateIdentifier(name));
}
