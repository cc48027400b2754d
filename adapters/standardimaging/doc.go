// Package standardimaging reads Kingdee's standard-edition imaging (标准版影像)
// over HTTP, as domain.md describes it ("The source").
//
//   - Success is the string "0000" in errcode or errorCode; HTTP 200 with
//     another code is a failure, and so is anything that is not JSON.
//   - One token serves all workers of a process: whoever finds it expired
//     refreshes it while the others wait.
//   - A source's concurrency and rate bound all its requests together. When
//     the service answers 429, its data calls pause as long as it asked.
//   - Every connection is checked after name resolution: private addresses are
//     reached only when the source's settings allow their network.
//   - Field names stand in mapping.go and nowhere else, so that a customer's
//     real endpoint needs a mapping, not a rewrite.
//   - URLs carry tokens and signatures: they appear in no error, log or event.
package standardimaging
