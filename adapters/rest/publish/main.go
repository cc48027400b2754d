// Command publish makes contract/openapi.json, the description of the REST API
// that is published: what a server serves at /openapi.json, but for the version
// of the software. It refuses what would break a client of the newest committed
// description that says something else. What is to go is deprecated first, with
// x-sunset; what must change gets a path of its own.
//
// With -check it writes nothing: so a change is refused that came into the
// repository without it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/waybill-migration/waybill/adapters/rest"
)

//go:generate go run .

const (
	root      = "../../.." // seen from here
	published = "contract/openapi.json"
)

func main() {
	check := flag.Bool("check", false, "compare, and write nothing")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "publish:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	content, err := describe()
	if err != nil {
		return err
	}
	before, err := committed(content)
	if err != nil && check { // an exported tree, or one of another user: whoever changed it had the history
		fmt.Fprintln(os.Stderr, "publish: what was committed before is not compared with:", err)
		return nil
	}
	if err != nil {
		return err
	}
	if before == nil {
		fmt.Println("publish: no other description was committed before: there is nothing to compare")
	} else if err := refuseBreaks(before, content); err != nil {
		return err
	}
	if check {
		return nil
	}
	return os.WriteFile(filepath.Join(root, published), content, 0o644)
}

// describe gives the description as it is published: readable, and of no
// version of the software.
func describe() ([]byte, error) {
	content, err := rest.Description("v1")
	if err != nil {
		return nil, err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, content, "", "  "); err != nil {
		return nil, err
	}
	pretty.WriteByte('\n')
	return pretty.Bytes(), nil
}

// committed gives the newest committed description that says something else;
// nil: there is none.
func committed(now []byte) ([]byte, error) {
	log, err := git("log", "--format=%H", "--max-count=2", "--", published)
	if err != nil {
		return nil, err
	}
	for _, commit := range strings.Fields(string(log)) {
		before, err := git("show", commit+":"+published)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(before, now) {
			return before, nil
		}
	}
	return nil, nil
}

func git(arguments ...string) ([]byte, error) {
	c := exec.CommandContext(context.Background(), "git", arguments...)
	c.Dir = root
	out, err := c.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		err = fmt.Errorf("git %s: %w: %s", arguments[0], err, ended.Stderr)
	}
	return out, err
}

// refuseBreaks compares two descriptions. Warnings count: a server refuses
// parameters and members that it does not know, so one less is a break too.
// The enumerations of answers are open, as those of events are. An input that
// had no bound may get one: a test wants one of every input, so that only those
// are without that are older than the test.
func refuseBreaks(before, now []byte) error {
	folder, err := os.MkdirTemp("", "publish-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	older, newer := filepath.Join(folder, "before.json"), filepath.Join(folder, "now.json")
	if err := errors.Join(os.WriteFile(older, before, 0o600), os.WriteFile(newer, now, 0o600)); err != nil {
		return err
	}
	c := exec.CommandContext(context.Background(), "go", "tool", "-modfile=tools/go.mod", "oasdiff", "breaking", "--fail-on", "WARN", "--severity-levels", "adapters/rest/publish/levels.txt", "--color", "never", older, newer)
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("it breaks clients of the description that was committed before; deprecate what is to go, and give what must change a path of its own: %w\n%s", err, out)
	}
	return nil
}
