// Package embedded runs a PostgreSQL and a broker that speaks Kafka's protocol
// for the demo, for development and for tests, on a machine with nothing but
// Go. Production has its own servers.
//
// PostgreSQL refuses to run as root and outlives a parent that was killed. So
// a child of this program, the keeper, owns it: as an unprivileged user when
// we are root, and it stops the server when its input ends, which the kernel
// brings about whichever way we die.
package embedded
