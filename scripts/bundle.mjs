/** How the bundles are built, for whoever builds one: the real ones in dist/, and broken ones for tests. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

// Bundled CommonJS packages call require(), which an ES module does not have.
const banner =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);"

/**
 * Bundles `src/<name>.ts` in memory.
 * @param {'index' | 'cli'} name
 * @param {import('esbuild').Plugin[]} plugins
 * @returns the text, and the files that went into it
 */
export async function bundle(name, plugins = []) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [`src/${name}.ts`],
    outfile: `dist/${name}.js`,
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: name === 'cli' ? `#!/usr/bin/env node\n${banner}` : banner },
    metafile: true,
    write: false,
    logLevel: 'warning',
    plugins,
  })
  return { text: result.outputFiles[0].text, inputs: Object.keys(result.metafile.inputs) }
}
