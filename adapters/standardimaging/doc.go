// Package standardimaging reads Kingdee's standard-edition imaging (标准版影像)
// over HTTP, as domain.md describes it ("The source").
//
//   - Success is the string "0000" in errcode or errorCode; HTTP 200 with
//     another code is a failure, and so is anything that is not JSON.
//   - One token serves all workers of a process: whoever finds it gone has it
//     refreshed while the others wait. One that the service no longer takes is
//     replaced once a call.
//   - A source's limits bound all its requests together (pace.go): those of its
//     settings at this time of the week, taken over while requests wait and files
//     arrive, without a new token or a new connection. A download holds its turn
//     until it is closed, so nobody may wait for another turn meanwhile.
//   - Below its limit the concurrency adapts to what the source takes
//     (adaptive.go), as its refusals and its latency tell.
//   - What fails because the service gives nothing to anybody is a
//     *commands.NotNow, and nobody's failure (breaker.go): something that is no
//     document's is asked for to tell. So is a data call that is told when to come
//     back. Then the service is left alone. Files often come from another server,
//     whose 429 is about that file: it is told to the caller, with the time that
//     was asked for.
//   - A download that breaks off is gone on with by a range, when the server
//     vouches that it is the same file (resume.go).
//   - Whatever did not come as agreed is a *commands.SourceError that says what
//     to do. A file's URL that has expired is one more try: the next attempt
//     reads the item again, and has a fresh one.
//   - Every connection is package outgoing's: private addresses are reached only
//     when the source's settings allow their network, and certificates are
//     verified, by the source's own authorities too.
//   - Field names stand in mapping.go and nowhere else, so that a customer's
//     real endpoint needs a mapping, not a rewrite.
//   - URLs carry tokens and signatures: they appear in no error, log or event,
//     also when the source's answer repeats them, and no redirection is told
//     where it comes from. Calls that carry credentials follow none.
package standardimaging
