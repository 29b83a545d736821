// Counts branches of TypeScript: every function, arm, case, loop and right side of `&&`, `||`, `??` writes a byte of
// `globalThis.branches`.
//
// Invariant: the code does what it did; a line stays the line that it was.
import ts from "typescript";

/** Where the bytes are. */
export const HOST_BRANCHES_MAX = 1 << 16;

/** Gives out numbers of branches. */
export class HostBranches {
  count = 0;

  /** The JavaScript of a module, with its branches counted. */
  instrument(source: string, fileName: string): string {
    const compilerOptions: ts.CompilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      inlineSourceMap: true,
      verbatimModuleSyntax: true,
    };
    const transformers = { before: [(context: ts.TransformationContext) => this.#transform(context)] };
    return ts.transpileModule(source, { compilerOptions, fileName, transformers }).outputText;
  }

  #transform(context: ts.TransformationContext): (file: ts.SourceFile) => ts.SourceFile {
    const { factory } = context;
    const mark = (): ts.Expression => {
      const bytes = factory.createPropertyAccessExpression(factory.createIdentifier("globalThis"), "branches");
      const number = this.count++ % HOST_BRANCHES_MAX;
      return factory.createAssignment(
        factory.createElementAccessExpression(bytes, number),
        factory.createNumericLiteral(1),
      );
    };
    const statement = () => factory.createExpressionStatement(mark());
    const marked = (value: ts.Expression) => factory.createParenthesizedExpression(factory.createComma(mark(), value));
    const block = (body: ts.Statement) =>
      factory.createBlock([statement(), ...(ts.isBlock(body) ? body.statements : [body])], true);
    const visit = (node: ts.Node): ts.Node => {
      const seen = ts.visitEachChild(node, visit, context);
      return withMarks(seen, factory, { marked, block, statement });
    };
    return (file) => ts.visitNode(file, visit) as ts.SourceFile;
  }
}

interface Marks {
  marked(value: ts.Expression): ts.Expression;
  block(body: ts.Statement): ts.Block;
  statement(): ts.Statement;
}

const RIGHT_SIDES = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]);

function withMarks(node: ts.Node, factory: ts.NodeFactory, { marked, block, statement }: Marks): ts.Node {
  if (ts.isIfStatement(node)) {
    const { expression, thenStatement, elseStatement } = node;
    return factory.updateIfStatement(
      node,
      expression,
      block(thenStatement),
      block(elseStatement ?? factory.createBlock([])),
    );
  }
  if (ts.isConditionalExpression(node)) {
    const { condition, questionToken, whenTrue, colonToken, whenFalse } = node;
    return factory.updateConditionalExpression(
      node,
      condition,
      questionToken,
      marked(whenTrue),
      colonToken,
      marked(whenFalse),
    );
  }
  if (ts.isBinaryExpression(node) && RIGHT_SIDES.has(node.operatorToken.kind)) {
    return factory.updateBinaryExpression(node, node.left, node.operatorToken, marked(node.right));
  }
  if (ts.isCaseClause(node)) return factory.updateCaseClause(node, node.expression, [statement(), ...node.statements]);
  if (ts.isDefaultClause(node)) return factory.updateDefaultClause(node, [statement(), ...node.statements]);
  if (ts.isWhileStatement(node)) return factory.updateWhileStatement(node, node.expression, block(node.statement));
  if (ts.isForStatement(node)) {
    return factory.updateForStatement(node, node.initializer, node.condition, node.incrementor, block(node.statement));
  }
  if (ts.isForOfStatement(node)) {
    return factory.updateForOfStatement(
      node,
      node.awaitModifier,
      node.initializer,
      node.expression,
      block(node.statement),
    );
  }
  if (ts.isCatchClause(node)) return factory.updateCatchClause(node, node.variableDeclaration, block(node.block));
  return node;
}
