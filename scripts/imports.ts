import ts from "typescript";

export interface Import {
  /** Undefined where the name is computed. */
  readonly specifier: string | undefined;
  readonly line: number;
  /** True when nothing of the module is there at run time. */
  readonly typeOnly: boolean;
}

const parse = (file: string, text: string): ts.SourceFile =>
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, file.endsWith("x") ? ts.ScriptKind.TSX : undefined);

/**
 * Every way by which a file reaches another module: import and export declarations, `import(…)`, `import("…")` in a
 * type, `require(…)`, `import.meta.resolve(…)`, `new URL("….ts", import.meta.url)` (workers) and `getBuiltinModule(…)`.
 */
export function importsOf(file: string, text: string): Import[] {
  const source = parse(file, text);
  const found: Import[] = [];
  const add = (node: ts.Node, name: ts.Node | undefined, typeOnly: boolean): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    found.push({ specifier: name && ts.isStringLiteralLike(name) ? name.text : undefined, line, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeImport(node));
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node))
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isCallExpression(node) && isLoader(node.expression)) add(node, node.arguments[0], false);
    else if (ts.isNewExpression(node)) {
      const [first] = node.arguments ?? [];
      const isModule = node.expression.getText(source) === "URL" && first && ts.isStringLiteralLike(first);
      if (isModule && /\.(ts|tsx|js|mjs)$/.test(first.text)) add(node, first, false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeImport(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const bindings = clause.namedBindings;
  const onlyTypes =
    bindings &&
    ts.isNamedImports(bindings) &&
    bindings.elements.length > 0 &&
    bindings.elements.every((element) => element.isTypeOnly);
  return !clause.name && onlyTypes === true;
}

function isLoader(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === "require";
  if (!ts.isPropertyAccessExpression(callee)) return false;
  return (
    (callee.name.text === "resolve" && ts.isMetaProperty(callee.expression)) || callee.name.text === "getBuiltinModule"
  );
}

const IMPURE_CALLS = new Set([
  "fetch",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "Date.now",
  "performance.now",
  "Math.random",
  "crypto.randomUUID",
  "crypto.getRandomValues",
]);

/** Clocks, chance, timers, the network and the process, where a file reaches for them through globals. */
export function impurities(file: string, text: string): { line: number; what: string }[] {
  const source = parse(file, text);
  const found: { line: number; what: string }[] = [];
  const add = (node: ts.Node, what: string): void => {
    found.push({ line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, what });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const callee = node.expression.getText(source).replace(/^globalThis\./, "");
      if (IMPURE_CALLS.has(callee)) add(node, `${callee}()`);
    }
    if (ts.isNewExpression(node) && node.expression.getText(source) === "Date" && (node.arguments?.length ?? 0) === 0)
      add(node, "new Date()");
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "process")
      add(node, `process.${node.name.text}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
