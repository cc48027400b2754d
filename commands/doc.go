// Package commands is the write side: it loads a stream, lets the domain
// decide, and appends what was decided; it declares the ports that it needs.
//
// Rules:
//
//   - A decision stands on the stream as the journal has it, never on a view.
//   - Every append names the version that it expects. On a conflict the command
//     is decided again on what is there now, at most three times.
//   - A command has an id; its events' ids derive from it. Sent again, it gives
//     the same answer and no second event.
//   - Nothing slow runs inside a Kafka handler: workers (commands/workers) claim
//     work, do the effect idempotently and issue a command; policies
//     (commands/policies) only turn an event into commands.
package commands
