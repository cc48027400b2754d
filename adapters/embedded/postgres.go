package embedded

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// nobody is the user that PostgreSQL runs as when we are root.
const nobody = 65534

// Postgres is a running server.
type Postgres struct {
	url    string
	order  order
	input  io.WriteCloser
	keeper *exec.Cmd
}

// order is what the keeper is told.
type order struct {
	Dir        string
	Binaries   string
	Port       uint32
	Password   string
	Parameters map[string]string
}

// StartPostgres starts a server on 127.0.0.1 that keeps its data below a
// directory, over restarts. Parameters are settings of postgresql.conf.
//
// The program's main must call RunKeeper first.
func StartPostgres(ctx context.Context, dir string, parameters map[string]string) (*Postgres, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	binaries, err := ownDirectory(filepath.Join(os.TempDir(), "waybill-postgres-"+strconv.Itoa(runAs())))
	if err != nil {
		return nil, err
	}
	if dir, err = ownDirectory(dir); err != nil {
		return nil, err
	}
	password, err := rememberedPassword(dir)
	if err != nil {
		return nil, err
	}
	o := order{Dir: dir, Binaries: binaries, Port: uint32(port), Password: password, Parameters: parameters}
	p := &Postgres{url: fmt.Sprintf("postgres://waybill:%s@127.0.0.1:%d/waybill?sslmode=disable", password, port), order: o}
	return p, p.Restart()
}

// URL to connect to, with its password.
func (p *Postgres) URL() string { return p.url }

// Restart starts the server again after Stop or Crash: the same data, the same
// URL.
func (p *Postgres) Restart() error {
	told, err := json.Marshal(p.order) //nolint:gosec // through a pipe to our own child
	if err != nil {
		return err
	}
	keeper := exec.Command("/proc/self/exe") //nolint:noctx // it ends when its input does
	keeper.Env = append(os.Environ(), keeperVariable+"=1", "HOME="+p.order.Dir)
	keeper.Dir = p.order.Dir
	keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is ours to handle
	if os.Geteuid() == 0 {
		keeper.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	input, err := keeper.StdinPipe()
	if err != nil {
		return err
	}
	output, err := keeper.StdoutPipe()
	if err != nil {
		return err
	}
	if err := keeper.Start(); err != nil {
		return fmt.Errorf("start the keeper of PostgreSQL: %w", err)
	}
	p.input, p.keeper = input, keeper
	if _, err := input.Write(append(told, '\n')); err != nil {
		return errors.Join(fmt.Errorf("tell the keeper of PostgreSQL: %w", err), p.Stop())
	}
	answer, _ := bufio.NewReader(output).ReadString('\n')
	if answer != ready {
		return errors.Join(fmt.Errorf("start PostgreSQL: %s", strings.TrimSpace(answer)), p.Stop())
	}
	return nil
}

// Stop ends the server and waits for it.
func (p *Postgres) Stop() error {
	_ = p.input.Close()
	return p.keeper.Wait()
}

// Crash ends the server as an immediate shutdown does: nothing is written out,
// and the next start recovers from the log.
func (p *Postgres) Crash() error {
	data := filepath.Join(p.order.Dir, "data")
	pid, err := postmaster(data)
	if err != nil {
		return fmt.Errorf("crash PostgreSQL: %w", err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		return fmt.Errorf("crash PostgreSQL: %w", err)
	}
	var exit *exec.ExitError
	if err := p.Stop(); err != nil && !errors.As(err, &exit) { // a keeper without a server has nothing to stop, and says so
		return err
	}
	return nil
}

func runAs() int {
	if os.Geteuid() == 0 {
		return nobody
	}
	return os.Geteuid()
}

// ownDirectory makes a directory for the server's user. One that belongs to
// somebody else is refused, since its programs would be run and its data
// believed.
func ownDirectory(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // the server's user passes through it
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); err == nil && os.Geteuid() == 0 {
		err = os.Chown(dir, nobody, nobody)
		if err != nil {
			return "", err
		}
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != runAs() {
		return "", fmt.Errorf("%s must be a directory of user %d: remove it, or choose another", dir, runAs())
	}
	return dir, nil
}

// rememberedPassword draws the server's password once for its data.
func rememberedPassword(dir string) (string, error) {
	path := filepath.Join(dir, "password")
	if password, err := os.ReadFile(path); err == nil {
		return string(password), nil
	}
	password := rand.Text()
	return password, os.WriteFile(path, []byte(password), 0o600)
}

// Ports that systems do not give to whoever asks for any, or connects: one of
// those could be somebody else's by the time that the server is up, or up again.
const (
	lowestPort  = 15_000
	highestPort = 32_000
)

func freePort(ctx context.Context) (int, error) {
	var err error
	for range 100 {
		port := lowestPort + mathrand.IntN(highestPort-lowestPort)
		var listener net.Listener
		if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("no port is free: %w", err)
}

// stopTimeout bounds the end of a server that was left behind.
const stopTimeout = 30 * time.Second
