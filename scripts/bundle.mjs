/** How the bundles are built, for whoever builds one: the real ones in dist/, and broken ones for tests. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

// Bundled CommonJS packages call require(), which an ES module does not have.
const banner =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);"

/** See `src/cache-archive.ts`: nothing that comes out of a cache is unpacked. */
const tarReplacement = {
  name: 'no tar',
  setup(build) {
    build.onResolve({ filter: /\/tar\.js$/ }, ({ resolveDir }) =>
      /@actions.cache.lib/.test(resolveDir)
        ? { path: join(root, 'src/cache-archive.ts') }
        : undefined,
    )
  },
}

/**
 * Bundles `src/<name>.ts` in memory.
 * @param {'index' | 'cli' | 'cache'} name
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
    plugins: [...plugins, tarReplacement],
  })
  if ('node_modules/@actions/cache/lib/internal/tar.js' in result.metafile.inputs) {
    throw new Error(
      '@actions/cache brings its own tar: src/cache-archive.ts no longer takes its place',
    )
  }
  return { text: result.outputFiles[0].text, inputs: Object.keys(result.metafile.inputs) }
}
