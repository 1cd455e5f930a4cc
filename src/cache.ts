import { isFeatureAvailable, restoreCache, saveCache } from '@actions/cache'
import { memoryFile } from './cache-archive.js'

/**
 * Talks to the cache of GitHub Actions, in a process of its own: so nothing of it reaches the log of the run, it can be
 * given up at any moment, and it never sees the token. `cache.js restore|save <key> <prefix>`; the text is in a file.
 */
const [, , task, key = '', prefix = ''] = process.argv
if (!isFeatureAvailable()) {
  process.stdout.write('Failed: there is no cache service here\n')
} else if (task === 'save') {
  const entry = await saveCache([memoryFile], key, undefined, true)
  if (entry === -1) process.stdout.write('Failed: nothing was saved\n')
} else await restoreCache([memoryFile], key, [prefix], undefined, true)
