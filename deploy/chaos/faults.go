package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// make does one step of a schedule.
func (r *run) make(ctx context.Context, n int, s step) error {
	switch s.kind {
	case kill:
		r.kill(s)
	case freeze:
		r.freeze(r.chosen(s))
	case rolling:
		return r.restartAll(ctx)
	case broker:
		return r.killLeader(ctx, s)
	case database:
		return r.crashDatabase()
	case cut:
		return r.proxies.cut(ctx, s.target, time.Duration(s.much)*time.Millisecond)
	case delay:
		return r.delay(ctx, n, s)
	case full:
		return r.fillDisk(s)
	case pause, disable, retry, skip, recall:
		return r.operate(ctx, s)
	}
	return nil
}

func (r *run) chosen(s step) *process { return r.processes[s.target%len(r.processes)] }

func (r *run) kill(s step) {
	p := r.chosen(s)
	p.signal(syscall.SIGKILL)
	r.done.killed[p.role]++
}

// freeze stops a process, which knows nothing of it, for longer than its
// leases last. The other faults go on meanwhile.
func (r *run) freeze(p *process) {
	p.signal(syscall.SIGSTOP)
	r.done.stopped[p.role]++
	r.pending.Go(func() error {
		time.Sleep(lease + time.Second)
		p.signal(syscall.SIGCONT)
		return nil
	})
}

// restartAll ends each process in good order and waits for its next start, as
// an upgrade does.
func (r *run) restartAll(ctx context.Context) error {
	for _, p := range r.processes {
		before := p.started()
		p.signal(syscall.SIGTERM)
		err := eventually(ctx, p.name+" ends in good order", func() (bool, error) {
			if p.started() == before {
				return false, errors.New("it still runs")
			}
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// killLeader takes the leader of one of the partitions away and brings it back.
// The other faults go on meanwhile, but for the next of this kind: a cluster
// without a quorum has nothing more to lose.
func (r *run) killLeader(ctx context.Context, s step) error {
	topic, partition := r.kafka.ControlTopic(), int32(0)
	if s.much%4 > 0 {
		topic, partition = r.kafka.DocumentsTopic(), int32(s.target%16)
	}
	r.broker.Lock()
	leader := r.leader(topic, partition)
	if err := leader.Kill(); err != nil {
		r.broker.Unlock()
		return err
	}
	r.pending.Go(func() error {
		defer r.broker.Unlock()
		return leader.Start(ctx)
	})
	return nil
}

// fillDisk leaves no room in the archive for a second or two.
func (r *run) fillDisk(s step) error {
	if r.disk == nil {
		return errNothing
	}
	if err := r.disk.fill(s.target % 10); err != nil {
		return err
	}
	r.pending.Go(func() error {
		time.Sleep(time.Second + time.Duration(s.much)*time.Millisecond)
		return r.disk.empty()
	})
	return nil
}

// delay holds a connection's answers back for a second or two.
func (r *run) delay(ctx context.Context, n int, s step) error {
	end, err := r.proxies.delay(ctx, fmt.Sprintf("delay-%d-%d", r.seed, n), s.target, time.Duration(20+s.much/5)*time.Millisecond)
	if err != nil {
		return err
	}
	r.pending.Go(func() error {
		time.Sleep(time.Second + time.Duration(s.much)*time.Millisecond)
		end()
		return nil
	})
	return nil
}
