// Package rest is the API over HTTP: it turns requests into commands, and
// views into answers.
//
// Rules:
//
//   - A handler is an input, one call and an output. The outputs are the API's
//     own types; what the domain or a view calls differently is mapped here.
//   - Every operation names the permission that it needs; one table says which
//     role has it. A request without an identity gets 401 and nothing else.
//   - A command's answer carries the position that it led to. A read that is
//     given one waits until its view includes it, or answers 503: never with
//     what was before.
//   - A read that is given a point of the past (asOf) answers with what the views
//     were then, made by their own code, and names the exact position.
//   - A command that is sent again under its Idempotency-Key is answered as it
//     was, for 24 hours; a key of another request is refused (repeat.go).
//   - Lists follow keys, never numbers, under cursors that are sealed and bound
//     to their list and filter (cursor.go). What replaces all of something
//     needs If-Match.
//   - Every error is a problem document (RFC 9457) from one table, and each code
//     has a page below /docs/errors, which a test holds to (errors_test.go). The text of
//     an error that is not the caller's goes to the log, with the request's id,
//     and not into the answer.
//   - Logs and metrics name the route, never the path, the query or a header.
package rest
