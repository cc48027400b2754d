// Package workers does the slow work: it lists slices, migrates documents and
// finishes batches. What there is to do stands in the worklist, a projection;
// a worker claims rows under a lease, does the effect and issues a command.
//
// Rules:
//
//   - A worker decides on the stream that it loads from the journal, before any
//     effect, never on a view: a row may be late.
//   - Effects are idempotent: a key of the archive holds the digest of its
//     content, and command ids derive from the work's id. A worker that lost
//     its lease changes nothing: an outcome of work that is no longer open is
//     dropped by the document's own decision.
//   - Whether a batch may run is asked of the journal (its source's stream and
//     its own), at most a second ago, before every request to the source.
//   - What failed is an event, with when to try again. What could not be
//     recorded is done again when its lease ends; its files are fetched again
//     too, since only the record says whose bytes an object has.
//   - A source that as a whole gives nothing is no failure of its documents: its
//     work goes back, and is not claimed while the source rests.
//   - A file passes through in pieces, whatever its size: no memory grows with it.
package workers
