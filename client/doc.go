// Package client speaks the REST API, as any other program would: it knows of
// Waybill what /openapi.json says, and imports nothing else of it.
//
// Rules:
//
//   - A request is sent again when its answer was lost or is "not now" (429,
//     502, 503, 504), as long as the caller's patience lasts, and only when a
//     second time has no second effect: a POST carries the same
//     Idempotency-Key each time, and one that has none is sent once.
//   - Retry-After is kept to. One that is longer than the patience that is left
//     ends it at once: waiting would change nothing.
//   - What cannot become right by itself (a certificate that does not verify, a
//     name that does not exist, a redirection) is not tried again.
//   - An error is the problem document that the API answered with (RFC 9457).
package client
