package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/waybill-migration/waybill/verification"
)

// verifyTimeout is hundreds of times what it takes.
const verifyTimeout = 10 * time.Minute

// verify runs the program's own check of everything, on the run's
// installation, as those who run it would.
func (r *run) verify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, r.program, "verify", "--archive", "all", "-o", "json")
	var told bytes.Buffer
	command.Env, command.Stderr = r.env, &told
	output, err := command.Output()
	if err == nil {
		return nil
	}
	var report verification.Report
	if undecoded := json.Unmarshal(output, &report); undecoded != nil {
		return fmt.Errorf("%w: %s", err, told.Bytes())
	}
	errs := []error{err}
	for _, c := range report.Checks {
		switch c.Outcome {
		case verification.Violated:
			errs = append(errs, fmt.Errorf("%s: %d wrong, such as %+v", c.Name, c.Wrong, c.Findings))
		case verification.Unchecked:
			errs = append(errs, fmt.Errorf("%s: %s", c.Name, c.Note))
		}
	}
	return errors.Join(errs...)
}
