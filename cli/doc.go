// Package cli has the commands with which people and scripts use a running
// Waybill: source, batch, document, operation, audit, and those of token that
// need a server.
//
// Rules:
//
//   - It speaks REST and nothing else, by package client: what it can do, any
//     other program can.
//   - Standard output has the answer and nothing else; progress, remarks and
//     errors go to standard error. With -o json the answer is the API's own
//     document, byte for byte; a list with --all is one item a line.
//   - A secret is read from the environment or from a file, never from an
//     argument, which every user of the machine can see.
//   - What comes from a source system is shown without the characters that
//     would steer a terminal.
//   - The exit codes are in exit.go; scripts rely on them.
package cli
