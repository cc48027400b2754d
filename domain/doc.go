// Package domain holds what Waybill knows about migrating document images, as
// pure data and pure functions: the words, the streams and the aggregates in
// its sub-packages.
//
// Rules, each held by a test over the import graph (imports_test.go):
//
//   - Only the standard library, and of it nothing that does I/O, reads a clock,
//     draws a random number or carries a context: what happened must decode and
//     fold to the same state on any machine at any time, for 30 years.
//   - An aggregate is a State, a Decide(State, Command) ([]Event, error) and an
//     Evolve(State, Event) State. Decide refuses or answers with facts; Evolve
//     never fails on a fact that Decide emitted.
//   - Facts that need a clock or a digest (when to try again, what arrived)
//     come in with the command.
//
// Package spec states these rules for the tests of the aggregates; nothing else
// may import it.
package domain
