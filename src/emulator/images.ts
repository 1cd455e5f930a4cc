/** Documents to fill a store with: build a tree, push it. */
export * from './attachments.js'
export { digestOf, mediaTypes } from './documents.js'
export * from './trees.js'
