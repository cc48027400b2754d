// Package projections is the read side: views in PostgreSQL that are built
// from the history alone, and the engine that keeps them up.
//
// The rules that make a view rebuildable, row for row:
//
//   - A view gets a transaction and events, nothing else. It does no I/O of
//     its own, so that replaying it fires nothing.
//   - Its checkpoint is a journal coordinate for each partition, saved in the
//     transaction that changes it. What it has is skipped; what is missing in
//     between is read from the journal.
//   - Order holds inside a partition only. A batch's row may see a document
//     before the batch itself: views upsert and add, and never assume.
//   - No value depends on how partitions interleave: sums of differences that
//     the events carry, or fields that one partition alone writes. No serials,
//     no now().
//   - Events come in batches of thousands and are folded in memory first, so
//     that a batch costs a few statements. Rows that several partitions share
//     are written last, in key order.
//
// The same code makes what views were at a point of the past: for one read
// (Past), or as tables for auditors (ReplayInto).
//
// A view that fails stops, visibly; it never skips an event.
package projections
