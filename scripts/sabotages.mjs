/**
 * What is taken out of the product, and which stories must notice. One row takes out what keeps one promise of
 * ARCHITECTURE.md; `npm run sabotage` proves each.
 *
 * @typedef {import('./broken-bundle.mjs').Defect} Defect
 * @typedef {object} Sabotage
 * @property {string} promise
 * @property {string} what what the product does then, in words
 * @property {Defect[]} defects
 * @property {string[]} stories files of __tests__/scenarios/, without `.test.ts`; every one of them must turn red
 */

/** Without the second look, which would refuse a broken plan, a story shows what the plan itself would have done. */
const blind = defect('src/second-look.ts', 'return findings.map(refusal)', 'return []')

/** @returns {Defect} */
function defect(file, text, replacement = '') {
  return { file, text, replacement }
}

/** @type {Sabotage[]} */
export const sabotages = [
  {
    promise: 'P1',
    what: 'a memory is believed whoever wrote it, and in whatever state it is',
    defects: [
      defect(
        'src/memory.ts',
        "if (text !== `${sealOf(body, seal)}\\n${body}\\n`) throw new Error('its seal does not fit')",
      ),
    ],
    stories: ['cache-in-trouble', 'remembered-manifests'],
  },
  {
    promise: 'P11',
    what: 'whoever talks to the cache gets the whole environment, with the token',
    defects: [
      defect(
        'src/hosts/cache-store.ts',
        'Object.entries(env).filter(([name]) => handedOn.test(name))',
        'Object.entries(env)',
      ),
    ],
    stories: ['remembered-manifests'],
  },
  {
    promise: 'P1',
    what: 'what a kept image reaches goes all the same',
    defects: [
      blind,
      defect('src/selector.ts', 'for (const node of marked.keys()) doomed.delete(node)'),
      defect(
        'src/selector.ts',
        'queueUp(doomed.keys(), parentsOf)',
        'queueUp(doomed.keys(), (node) => parentsOf(node).filter((parent) => doomed.has(parent)))',
      ),
      defect(
        'src/selector.ts',
        'parentsOf(node).map((parent)',
        'parentsOf(node).filter((parent) => doomed.has(parent)).map((parent)',
      ),
    ],
    stories: ['multi-arch', 'shared-parts', 'skip-shas'],
  },
  {
    promise: 'P1',
    what: 'an index contains nothing',
    defects: [blind, defect('src/graph.ts', '    contain(node, child)\n')],
    stories: ['images-of-every-shape', 'shared-parts'],
  },
  {
    promise: 'P1',
    what: 'an index in an index is not looked into',
    defects: [
      blind,
      defect(
        'src/graph.ts',
        'contain(node, child)',
        "if (entry.kind !== 'index') contain(node, child)",
      ),
    ],
    stories: ['images-of-every-shape', 'shared-parts'],
  },
  {
    promise: 'P1',
    what: 'a subject has no attachments',
    defects: [blind, defect('src/graph.ts', 'else attach(subject, node)')],
    stories: ['attachments', 'multi-arch'],
  },
  {
    promise: 'P1',
    what: 'the field subject is not read',
    defects: [
      blind,
      defect('src/graph.ts', 'const subject = manifest?.subject', 'const subject = undefined'),
    ],
    stories: ['attachments', 'odd-documents'],
  },
  {
    promise: 'P1',
    what: 'an attestation is not looked for by the annotation of its index',
    defects: [blind, defect('src/graph.ts', '    drawAnnotation(entry, child, byDigest)\n')],
    stories: ['images-of-every-shape'],
  },
  {
    promise: 'P1',
    what: 'parts are deleted before their image',
    defects: [
      blind,
      defect('src/selector.ts', '  return ordered\n}', '  return ordered.reverse()\n}'),
      defect(
        'src/selector.ts',
        'ordered.push({ version: node.version, after })',
        'ordered.push({ version: node.version, after: [] })',
      ),
    ],
    stories: ['after-every-single-delete', 'killed-in-the-middle'],
  },
  {
    promise: 'P1',
    what: 'a delete does not wait for that of its image',
    defects: [
      defect(
        'src/selector.ts',
        'ordered.push({ version: node.version, after })',
        'ordered.push({ version: node.version, after: [] })',
      ),
    ],
    stories: ['deletes-that-go-wrong', 'what-github-does-not-let-go'],
  },
  {
    promise: 'P2',
    what: 'a child with a tag of its own is no image',
    defects: [
      blind,
      defect('src/graph.ts', 'node.ownTags.length > 0 || (node.containedIn', '(node.containedIn'),
    ],
    stories: ['images-of-every-shape'],
  },
  {
    promise: 'P2',
    what: 'one matching tag condemns the others',
    defects: [
      blind,
      defect(
        'src/policy/judge.ts',
        'holding.length > 0 && image.tags.every(isCondemned)',
        'holding.length > 0',
      ),
    ],
    stories: ['image-tags'],
  },
  {
    promise: 'P2',
    what: 'an exclusion protects nothing',
    defects: [
      blind,
      defect('src/policy/judge.ts', 'if (protection !== undefined) {', 'if (false) {'),
    ],
    stories: ['image-tags', 'lists-as-people-write-them'],
  },
  {
    promise: 'P2',
    what: 'a keep rule keeps nothing',
    defects: [
      blind,
      defect('src/policy/judge.ts', "if (hit.holds && hit.rule.action === 'keep')", 'if (false)'),
    ],
    stories: ['policy-whole', 'policy-rules'],
  },
  {
    promise: 'P2',
    what: 'what an entry protects takes the place of what defaults protect',
    defects: [
      blind,
      defect(
        'src/policy/file/compile.ts',
        'protect: blocks.flatMap((block) => this.#protections(block))',
        'protect: blocks.slice(-1).flatMap((block) => this.#protections(block))',
      ),
    ],
    stories: ['policy-whole', 'policy-entries'],
  },
  {
    promise: 'P2',
    what: 'the last entry that matches a package counts',
    defects: [defect('src/policy/policy-set.ts', 'entries.find((', 'entries.findLast((')],
    stories: ['policy-whole', 'policy-entries'],
  },
  {
    promise: 'P2',
    what: 'a rule that is switched off holds',
    defects: [
      defect('src/policy/file/compile.ts', 'enabled !== false', 'enabled !== undefined || true'),
    ],
    stories: ['policy-entries'],
  },
  {
    promise: 'P5',
    what: 'an input makes a policy file less careful',
    defects: [
      defect(
        'src/input-policy.ts',
        'grace: Math.max(policy.grace, grace)',
        'grace: inputs.grace ?? policy.grace',
      ),
    ],
    stories: ['policy-with-inputs'],
  },
  {
    promise: 'P3',
    what: 'a reference whose tag is not known protects nothing',
    defects: [defect('src/policies.ts', ', ...unknown.map(protectionOf)]', ']')],
    stories: ['policy-protect-from'],
  },
  {
    promise: 'P3',
    what: 'a lifetime that nobody can read is over',
    defects: [
      blind,
      defect(
        'src/policy/lifetime.ts',
        'return lifetime === 0 ? undefined : lifetime',
        'return lifetime ?? 0',
      ),
    ],
    stories: ['policy-lifetimes'],
  },
  {
    promise: 'P2',
    what: 'what files say is in use protects nothing',
    defects: [
      blind,
      defect('src/policy/judge.ts', 'if (uses !== undefined) keeps.push', 'if (false) keeps.push'),
    ],
    stories: ['policy-protect-from'],
  },
  {
    promise: 'P3',
    what: 'a pull request of which nothing is known counts as closed',
    defects: [
      blind,
      defect(
        'src/policy/conditions.ts',
        "return (state === 'gone') === (ref === 'gone')",
        "return (state !== 'exists') === (ref === 'gone')",
      ),
    ],
    stories: ['policy-refs'],
  },
  {
    promise: 'P9',
    what: 'a file that is not there protects nothing, and nobody hears of it',
    defects: [
      defect(
        'src/workspace.ts',
        'if (!walk.matched.has(glob)) mistakes.push(await whyNothing(root, glob, walk.skipped))',
        'if (!walk.matched.has(glob)) continue',
      ),
    ],
    stories: ['policy-mistakes'],
  },
  {
    promise: 'P3',
    what: 'content is not held against its digest',
    defects: [
      defect('src/registry.ts', 'if (`sha256:${hash}` !== target.digest) {', 'if (false) {'),
    ],
    stories: ['manifests-that-cannot-be-used'],
  },
  {
    promise: 'P3',
    what: 'what is not JSON is a document that says nothing',
    defects: [defect('src/oci.ts', "throw new Error('it is not JSON')", 'json = {}')],
    stories: ['manifests-that-cannot-be-used'],
  },
  {
    promise: 'P3',
    what: 'what could not be read says nothing',
    defects: [
      blind,
      defect('src/planning.ts', 'failure === undefined ? [] : [refusalOf(failure)]', '[]'),
      defect(
        'src/selector.ts',
        'if (!isKnown(node) && snapshot.refusals.length === 0) {',
        'if (false) {',
      ),
    ],
    stories: ['manifests-that-cannot-be-used', 'what-never-gets-better'],
  },
  {
    promise: 'P3',
    what: 'what has no age is old',
    defects: [
      blind,
      defect(
        'src/selector.ts',
        'if (createdAt === undefined || updatedAt === undefined) {',
        'if (false) {',
      ),
      defect(
        'src/images.ts',
        'createdAt: version.createdAt ?? Infinity, updatedAt: version.updatedAt ?? Infinity',
        'createdAt: version.createdAt ?? 0, updatedAt: version.updatedAt ?? 0',
      ),
    ],
    stories: ['manifests-that-cannot-be-used'],
  },
  {
    promise: 'P4',
    what: 'page one is not looked at again',
    defects: [
      defect('src/listing.ts', 'JSON.stringify(again) !== JSON.stringify(first.data)', 'false'),
    ],
    stories: ['listings-that-are-not-whole'],
  },
  {
    promise: 'P4',
    what: 'the count is not held against the listing',
    defects: [defect('src/listing.ts', 'if (rows.length === count) return', 'if (true) return')],
    stories: ['listings-that-are-not-whole'],
  },
  {
    promise: 'P4',
    what: 'a page that fails or is empty ends the listing',
    defects: [
      defect('src/listing.ts', 'if (empty !== -1) return', 'if (false) return'),
      defect(
        'src/packages.ts',
        'versionPage, { known })',
        'versionPage, { known }).catch(() => ({ data: [], next: undefined, last: undefined, etag: undefined }))',
      ),
    ],
    stories: ['listings-that-are-not-whole'],
  },
  {
    promise: 'P4',
    what: 'a page link is taken for what its address looks like',
    defects: [
      defect(
        'src/listing.ts',
        '/;\\s*rel="?([a-z]+)"?/i.exec(parameters)',
        '/(prev|next|last)/.exec(address + parameters)',
      ),
    ],
    stories: ['listings-of-many-pages'],
  },
  {
    promise: 'P5',
    what: 'there is no grace',
    defects: [
      blind,
      defect('src/selector.ts', 'if (age < policy.grace) floors', 'if (age < 0) floors'),
    ],
    stories: ['grace'],
  },
  {
    promise: 'P5',
    what: 'grace goes by the earlier timestamp',
    defects: [
      blind,
      defect('src/images.ts', 'Math.max(createdAt, updatedAt)', 'Math.min(createdAt, updatedAt)'),
    ],
    stories: ['cut-off'],
  },
  {
    promise: 'P5',
    what: 'a young attachment does not keep its image',
    defects: [defect('src/selector.ts', 'if (newcomer === undefined) return []', 'return []')],
    stories: ['grace'],
  },
  {
    promise: 'P6',
    what: 'there is no second look',
    defects: [blind],
    stories: ['second-look-at-a-broken-plan'],
  },
  {
    promise: 'P6',
    what: 'the second look does not look into indexes',
    defects: [defect('src/relations.ts', "visit(digest, part, 'contains')")],
    stories: ['second-look-at-a-broken-plan'],
  },
  {
    promise: 'P6',
    what: 'the second look does not look at subjects',
    defects: [
      defect(
        'src/relations.ts',
        "if (whole !== undefined) visit(whole, digest, 'subject')",
        'if (whole !== undefined) continue',
      ),
    ],
    stories: ['second-look-at-a-broken-plan'],
  },
  {
    promise: 'P6',
    what: 'the second look does not look at tags, digests and ages',
    defects: [
      defect(
        'src/second-look.ts',
        'for (const { version } of deletions) findings.push(...spoken(version, look))',
      ),
    ],
    stories: ['second-look-at-a-broken-plan'],
  },
  {
    promise: 'P7',
    what: 'the package is not looked at again while deletes go on',
    defects: [defect('src/recheck.ts', 'return age >= 0 && age < this.freshFor', 'return true')],
    stories: ['changes-meanwhile'],
  },
  {
    promise: 'P7',
    what: 'what has changed meanwhile is not planned again',
    defects: [
      defect(
        'src/recheck.ts',
        'if (hasChanged(known, versions) || !isDeepStrictEqual(refs, policy.refs))',
        'if (Date.now() < 0)',
      ),
    ],
    stories: ['changes-meanwhile'],
  },
  {
    promise: 'P7',
    what: 'nobody looks after the deletes whether something was lost',
    defects: [
      defect(
        'src/main.ts',
        'return settings.verify ? verify(run, done, recheck, registry) : done',
        'return done',
      ),
    ],
    stories: ['verify'],
  },
  {
    promise: 'P8',
    what: 'one failed delete ends the run',
    defects: [
      defect(
        'src/deleter.ts',
        'const answer = await deleter.deleteVersion(version)',
        "const answer = await deleter.deleteVersion(version)\n    if (answer.status === 'failed') this.#ended ??= answer.why",
      ),
    ],
    stories: ['deletes-that-go-wrong'],
  },
  {
    promise: 'P8',
    what: 'a version that is gone already is a failure',
    defects: [
      defect('src/packages.ts', 'if (error.status === 404) return this.#missing(path, error)'),
    ],
    stories: ['deletes-that-go-wrong'],
  },
  {
    promise: 'P8',
    what: 'a lost answer is a failure',
    defects: [
      defect('src/packages.ts', 'if (isUnanswered(error)) return this.#lookFor(path, error)'),
    ],
    stories: ['deletes-that-go-wrong'],
  },
  {
    promise: 'P8',
    what: 'what GitHub does not let go is a failure',
    defects: [
      defect(
        'src/github-errors.ts',
        '/last tagged version|more than 5000 downloads/i',
        '/never said/',
      ),
    ],
    stories: ['what-github-does-not-let-go'],
  },
  {
    promise: 'P8',
    what: 'the last tagged version is asked for',
    defects: [defect('src/selector.ts', 'if (last === undefined) return finish', 'return finish')],
    stories: ['what-github-does-not-let-go', 'grace'],
  },
  {
    promise: 'P8',
    what: 'a run with a failed delete is a success',
    defects: [
      defect(
        'src/report/report.ts',
        "outcomes.some(({ result }) => result.status === 'failed') ||",
      ),
    ],
    stories: ['deletes-that-go-wrong', 'what-never-gets-better'],
  },
  {
    promise: 'P9',
    what: 'only the first mistake is told',
    defects: [
      defect('src/inputs.ts', 'badInput(mistakes.length, all', 'badInput(1, all.slice(0, 1)'),
    ],
    stories: ['wrong-inputs', 'rubbish-inputs'],
  },
  {
    promise: 'P9',
    what: 'an input that does not exist is none of its business',
    defects: [defect('src/inputs.ts', '    ...unknown.map(unknownInput),\n')],
    stories: ['rubbish-inputs'],
  },
  {
    promise: 'P9',
    what: 'a list without entries asks for everything',
    defects: [defect('src/input-readers.ts', 'if (entries.length === 0)', 'if (false)')],
    stories: ['image-tags'],
  },
  {
    promise: 'P9',
    what: 'a pattern that can never match is accepted',
    defects: [defect('src/policy/patterns.ts', 'if (odd !== undefined) {', 'if (false) {')],
    stories: ['rubbish-inputs'],
  },
  {
    promise: 'P10',
    what: 'a dry run deletes',
    defects: [
      defect(
        'src/main.ts',
        'if (settings.dryRun || made.deletions.length === 0) return report',
        'if (made.deletions.length === 0) return report',
      ),
    ],
    stories: ['multi-arch', 'token-problems', 'what-a-run-tells'],
  },
  {
    promise: 'P10',
    what: 'a dry run plans by other rules',
    defects: [
      defect(
        'src/run.ts',
        '    policy,\n    refs:',
        '    policy: run.settings.dryRun ? { ...policy, maxDeletions: [] } : policy,\n    refs:',
      ),
    ],
    stories: ['limits-of-a-run'],
  },
  {
    promise: 'P11',
    what: 'the token follows a redirect to another host',
    defects: [
      defect(
        'src/registry.ts',
        'const own = new URL(url).origin === this.#options.registryUrl',
        'const own = true',
      ),
    ],
    stories: ['where-the-token-goes'],
  },
  {
    promise: 'P11',
    what: 'the token goes wherever the registry says',
    defects: [
      defect('src/registry.ts', 'if (target.origin !== this.#options.registryUrl)', 'if (false)'),
    ],
    stories: ['where-the-token-goes'],
  },
  {
    promise: 'P11',
    what: 'the token is told when a service tells it',
    defects: [
      defect(
        'src/hosts/telling.ts',
        "for (const secret of hidden) safe = safe.replaceAll(secret, '***')",
      ),
    ],
    stories: ['where-the-token-goes'],
  },
  {
    promise: 'P11',
    what: 'foreign text gives the runner commands',
    defects: [defect('src/report/escape.ts', ".replaceAll('##[', '# #[')")],
    stories: ['hostile-text'],
  },
  {
    promise: 'P11',
    what: 'foreign text is markup in the summary',
    defects: [
      defect('src/report/escape.ts', ".replace(/</g, '&lt;')"),
      defect('src/report/escape.ts', ".replace(/>/g, '&gt;')"),
    ],
    stories: ['hostile-text'],
  },
  {
    promise: 'P12',
    what: 'what stays is not decided on',
    defects: [
      defect(
        'src/selector.ts',
        'decisions: graph.nodes.map((node) => decide(node, judged, swept))',
        'decisions: graph.nodes.filter((node) => swept.doomed.has(node)).map((node) => decide(node, judged, swept))',
      ),
    ],
    stories: ['what-a-run-tells', 'image-tags'],
  },
  {
    promise: 'P12',
    what: 'decisions have no reasons',
    defects: [
      defect(
        'src/report/words.ts',
        "return [...would, text, ...conditionOf(decision)].join('; ')",
        "return ''",
      ),
    ],
    stories: ['what-a-run-tells', 'image-tags', 'attachments'],
  },
]
