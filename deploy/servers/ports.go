package servers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports that systems do not give to outgoing connections: one of those could
// hold a server's while the server is down.
const (
	lowestPort  = 15_000
	highestPort = 32_000
)

// FreePort finds a port of 127.0.0.1 that nobody listens on.
func FreePort(ctx context.Context) (int, error) {
	var err error
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		var listener net.Listener
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("no port is free: %w", err)
}

func freePorts(ctx context.Context) (ports [3]int, err error) {
	for i := range ports {
		if ports[i], err = FreePort(ctx); err != nil {
			return ports, err
		}
	}
	return ports, nil
}
