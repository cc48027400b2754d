// Package verification walks everything that an installation keeps and says
// that it holds, or exactly what does not and what to do.
//
//   - It changes nothing that is there, and what it walks itself it only reads:
//     no lock, no transaction longer than a page. Everything is compared up to
//     the journal's heads as they were at the start, so that it works while the
//     installation does. Views are compared by whoever can make them anew, beside
//     the live ones.
//   - It stands on the domain alone. What it reads comes through the ports that
//     it declares; it trusts neither the write side's nor the views' code, only
//     the record's format and the aggregates' Evolve.
//   - The journal is walked twice: in the order of its offsets, for what a
//     partition promises (and Kafka beside it), and in the order of its streams,
//     for what a stream does. Of either order one page is in memory; what grows
//     with the history is the counters of its batches.
//   - All that is wrong is counted; of each check the first findings are listed.
//     A check that could not be done is not one that passed.
package verification
