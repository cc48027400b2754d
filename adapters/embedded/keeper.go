package embedded

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

const (
	keeperVariable = "WAYBILL_POSTGRES_KEEPER"
	ready          = "ready\n"
)

// RunKeeper never returns when this process was started as the keeper of a
// PostgreSQL; every program that calls StartPostgres calls it first in main.
func RunKeeper() {
	if os.Getenv(keeperVariable) == "" {
		return
	}
	if err := keep(os.Stdin, os.Stdout); err != nil {
		fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
	os.Exit(0)
}

func keep(in io.Reader, out io.Writer) error {
	input := bufio.NewReader(in)
	told, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	var o order
	if err := json.Unmarshal(told, &o); err != nil {
		return fmt.Errorf("read the order: %w", err)
	}
	data := filepath.Join(o.Dir, "data")
	if err := stopLeftBehind(data); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(o.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	server := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(embeddedpostgres.V18).
		Port(o.Port).Username("waybill").Password(o.Password).Database("waybill").
		DataPath(data).RuntimePath(filepath.Join(o.Dir, "runtime")).
		BinariesPath(filepath.Join(o.Binaries, "binaries")).CachePath(filepath.Join(o.Binaries, "cache")).
		StartParameters(o.parameters()).StartTimeout(time.Minute).Locale("C").Encoding("UTF8").Logger(log))
	if err := server.Start(); err != nil {
		return err
	}
	if _, err := io.WriteString(out, ready); err != nil {
		return server.Stop()
	}
	_, _ = io.Copy(io.Discard, input) // until the one who started us is done, or dead
	return server.Stop()
}

func (o order) parameters() map[string]string {
	all := map[string]string{"listen_addresses": "127.0.0.1", "unix_socket_directories": o.Dir}
	for key, value := range o.Parameters {
		all[key] = value
	}
	return all
}

// postmaster is the process that runs on the data.
func postmaster(data string) (pid int, err error) {
	file, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(file), "\n")
	return strconv.Atoi(strings.TrimSpace(line))
}

// stopLeftBehind ends a server that still runs on the data, since its keeper
// was killed too.
func stopLeftBehind(data string) error {
	pid, err := postmaster(data)
	if err != nil {
		return nil //nolint:nilerr // no server was left, or the file was cut off in a crash: PostgreSQL judges it itself
	}
	command := filepath.Join("/proc", strconv.Itoa(pid), "cmdline")
	for until := time.Now().Add(stopTimeout); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		arguments, err := os.ReadFile(command)
		if err != nil || !strings.Contains(string(arguments), data) {
			return nil //nolint:nilerr // it is gone
		}
		if err := syscall.Kill(pid, syscall.SIGINT); err != nil { // a fast shutdown
			return nil //nolint:nilerr // it is gone
		}
	}
	return fmt.Errorf("a PostgreSQL (process %d) still runs on %s and does not stop", pid, data)
}
