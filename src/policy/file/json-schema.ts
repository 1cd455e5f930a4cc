import { z } from 'zod'
import { fileSchema } from './schema.js'

/**
 * The schema of policy files for editors, as https://json-schema.org. Draft 7 is the newest that the YAML language
 * server checks by: https://github.com/redhat-developer/yaml-language-server/issues/856.
 */
export function policyJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-7' })
  return {
    $schema,
    $id: 'https://raw.githubusercontent.com/ghcr-retention/ghcr-retention/v1/schema/policy.schema.json',
    title: 'Retention policy for container images on GHCR',
    ...schema,
  }
}
