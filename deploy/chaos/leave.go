package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/errgroup"
)

// end stops all processes in good order. None may have anything against it.
func (r *run) end(ctx context.Context, v *violations) {
	var group errgroup.Group
	ends := make([]error, len(r.processes))
	for i, p := range r.processes {
		group.Go(func() error { ends[i] = p.stop(); return nil })
	}
	_ = group.Wait()
	v.note("an orderly end", errors.Join(ends...))
	v.note("uploads", r.noUploads())
	v.note("logs", r.logs())
	if len(v.found) > 0 {
		v.note("evidence", r.keepEvidence(ctx))
	}
	r.journal.Close()
	v.note("leaving", errors.Join(r.leaveDisk(), r.leaveServers(ctx)))
}

// keepEvidence copies what goes with the run to where its logs are.
func (r *run) keepEvidence(ctx context.Context) error {
	var journal bytes.Buffer
	history, err := r.history(ctx)
	for _, record := range history {
		journal.Write(append(record.Bytes, '\n'))
	}
	err = errors.Join(err, os.WriteFile(filepath.Join(r.dir, "journal.ndjson"), journal.Bytes(), 0o600))
	if r.disk != nil {
		err = errors.Join(err, os.CopyFS(filepath.Join(r.dir, "archive"), os.DirFS(r.archive)))
	}
	return err
}

// leaveDisk unmounts the archive's disk.
func (r *run) leaveDisk() error {
	if r.disk == nil {
		return nil
	}
	return r.disk.unmount()
}

// leaveServers removes the schema and the topics: servers that hold those of
// hundreds of runs come up slowly after a crash.
func (r *run) leaveServers(ctx context.Context) error {
	defer r.pool.Close()
	_, err := r.pool.Exec(ctx, "DROP SCHEMA "+r.name+" CASCADE")
	config, unset := r.kafka.Client("chaos")
	if err := errors.Join(err, unset); err != nil {
		return err
	}
	admin, err := sarama.NewClusterAdmin(r.kafka.Brokers, config)
	if err != nil {
		return err
	}
	for _, topic := range []string{r.kafka.ControlTopic(), r.kafka.DocumentsTopic()} {
		err = errors.Join(err, eventually(ctx, topic+" is deleted", func() (bool, error) { // a busy broker takes longer than a request
			err := admin.DeleteTopic(topic)
			if errors.Is(err, sarama.ErrUnknownTopicOrPartition) {
				err = nil
			}
			return err == nil, err
		}))
	}
	return errors.Join(err, admin.Close())
}

// tell prints what became of the run, and forgets one in which all holds.
func (r *run) tell(out io.Writer, found []string) {
	restarts := 0
	for _, p := range r.processes {
		restarts += p.starts - 1
	}
	fmt.Fprintf(out, "seed %d: %d batches, %s (%d idle); %d restarts; registrars: %s; %s; %d violations\n",
		r.seed, len(r.batches), r.done, r.idle, restarts, r.register, time.Since(r.began).Round(time.Second), len(found))
	if r.wantsDisk() && r.disk == nil {
		fmt.Fprintln(out, "  no disk was full: this account may not mount one")
	}
	for _, text := range found {
		fmt.Fprintf(out, "  seed %d VIOLATED %s\n", r.seed, text)
	}
	if len(found) > 0 {
		fmt.Fprintf(out, "  logs and archive: %s\n", r.dir)
		return
	}
	if err := os.RemoveAll(r.dir); err != nil {
		fmt.Fprintln(out, " ", err)
	}
}
