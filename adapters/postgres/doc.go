// Package postgres keeps the journal and the operational tables in PostgreSQL.
//
// Rules:
//
//   - All names are unqualified and found by the search_path, so that an
//     installation, a test or a rebuild has a schema of its own.
//   - A partition's head row is locked by whoever appends to it, heads in
//     ascending order; versions are read in a later statement than the lock,
//     since one statement would see a snapshot older than its wait.
//   - Appends run with synchronous_commit=on: the relay must never publish what
//     a crash can undo.
//   - No transaction outlives 30 seconds: one open snapshot slows every claim.
package postgres
