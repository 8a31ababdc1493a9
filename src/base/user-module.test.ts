import { expect, test } from 'vitest';
import { importProblem } from './user-module.ts';

/** As Node 24 throws it. */
function syntaxError(stack: string): Error {
  return Object.assign(new SyntaxError("Expected '{', got 'ident'"), { stack });
}

test('a mistake in TypeScript is told with the file and the line that stand at the top of its stack', () => {
  const stack =
    "/a project/transforms/daily.ts:2\nconst a = 1;\nexport defa\n       ^^^^\n\nSyntaxError [ERR_INVALID_TYPESCRIPT_SYNTAX]: Expected '{', got 'ident'\n    at parseTypeScript (node:internal/modules/typescript:72:36)";
  expect(importProblem(syntaxError(stack))).toBe("Expected '{', got 'ident' (daily.ts, line 2)");
});

test('another error is told by its first line', () => {
  expect(importProblem(new Error('cannot find x\nimported from y'))).toBe('cannot find x');
  expect(importProblem('text')).toBe('text');
});
