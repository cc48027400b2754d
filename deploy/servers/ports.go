package servers

import (
	"fmt"
	"syscall"
)

// FreePort finds a port of 127.0.0.1 that nobody has, and keeps it until this
// process ends: for a server that starts later, in a child perhaps, and for the
// time in which it is down. A socket that listens to nobody holds it: systems
// give such a port to no connection and to nobody who asks for any port, and let
// a server listen there.
func FreePort() (int, error) {
	holder, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("no port is free: %w", err)
	}
	if err := syscall.Bind(holder, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, fmt.Errorf("no port is free: %w", err)
	}
	// Only now: another that looks for a port must not get the same.
	if err := syscall.SetsockoptInt(holder, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, err
	}
	name, err := syscall.Getsockname(holder)
	if err != nil {
		return 0, err
	}
	return name.(*syscall.SockaddrInet4).Port, nil
}

func freePorts() (ports [3]int, err error) {
	for i := range ports {
		if ports[i], err = FreePort(); err != nil {
			return ports, err
		}
	}
	return ports, nil
}
