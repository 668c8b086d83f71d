/**
 * The scan that finds imports in a source's text, against the traps of the language.
 */
import { describe, expect, it } from 'vitest';
import { importsOf } from './imports-of.mjs';

function specifiersIn(text: string): (string | null)[] {
  return importsOf(text).map((found) => found.specifier);
}

describe('the scan for imports', () => {
  it('finds every form, with its line', () => {
    const text = [
      "import './effect.ts';",
      "import whole, { part as renamed, type Kind } from './value.ts';",
      "import * as all from './all.ts';",
      "import type { T } from './type.ts';",
      "import type from './called-type.ts';",
      'export {',
      '  a,',
      "} from './export.ts';",
      "export type { B } from './export-type.ts';",
      "export * as ns from './star.ts';",
      "type C = typeof import('./in-type.ts');",
      'const late = await import(`./template.ts`);',
      "const old = require('./old.cjs');",
      "const where = import.meta.resolve('./resolved.ts');",
    ].join('\n');
    expect(importsOf(text)).toEqual([
      { specifier: './effect.ts', form: 'import', line: 1 },
      { specifier: './value.ts', form: 'import', line: 2 },
      { specifier: './all.ts', form: 'import', line: 3 },
      { specifier: './type.ts', form: 'import type', line: 4 },
      { specifier: './called-type.ts', form: 'import', line: 5 },
      { specifier: './export.ts', form: 'export', line: 6 },
      { specifier: './export-type.ts', form: 'export type', line: 9 },
      { specifier: './star.ts', form: 'export', line: 10 },
      { specifier: './in-type.ts', form: 'import()', line: 11 },
      { specifier: './template.ts', form: 'import()', line: 12 },
      { specifier: './old.cjs', form: 'require()', line: 13 },
      { specifier: './resolved.ts', form: 'import()', line: 14 },
    ]);
  });

  it('takes no comment, string, template or regular expression for an import', () => {
    const text = [
      "// import './comment.ts';",
      "/* import './block.ts'; */",
      'const a = "import \'./string.ts\';";',
      "const b = `import './template.ts'; ${'}'} import './after.ts';`;",
      "const c = /import '.\\/regex.ts'[/`]/;",
      'const d = 4 / 2; const e = `${`${1}`}`;',
      "export const real = import('./real.ts');",
    ].join('\n');
    expect(specifiersIn(text)).toEqual(['./real.ts']);
  });

  it('finds an import in the substitution of a template', () => {
    expect(specifiersIn("const a = `x ${{ b: await import('./inside.ts') }} y`;")).toEqual(['./inside.ts']);
  });

  it('is not led astray by names, keys and properties that read like an import', () => {
    const text = [
      'const from = { import: 1, export: 2, require: 3 };',
      "tool.import('./property.ts');",
      'export { from };',
      "const text = 'x';",
      "export const next = from.import === 1 ? './a.ts' : './b.ts';",
    ].join('\n');
    expect(specifiersIn(text)).toEqual([]);
  });

  it('says that a computed name is computed', () => {
    expect(specifiersIn("import(name); import('./a' + name); import(`./${name}.ts`);")).toEqual([null, null, null]);
  });

  it("goes on after the quotes and slashes of a page's text", () => {
    const text = ["const page = <p>it's</p>;", "import { a } from './after.ts';"].join('\n');
    expect(specifiersIn(text)).toEqual(['./after.ts']);
  });
});
