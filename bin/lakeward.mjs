/** What `import … from 'lakeward'` gives: in a checkout the source, in the package what was compiled from it. */
import { existsSync } from 'node:fs';

const source = new URL('../src/lakeward.ts', import.meta.url);
const compiled = new URL('../dist/lakeward.js', import.meta.url);
const { defineConfig, defineTransform, testTransform } = await import(
  existsSync(source) ? source.href : compiled.href
);

export { defineConfig, defineTransform, testTransform };
