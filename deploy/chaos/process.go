package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// restartPause is between an end and the next start, so that a process that
// does not come up does not spin.
const restartPause = 100 * time.Millisecond

// process of waybill that is started again whenever it ends, as an operating
// system's supervisor does.
type process struct {
	name     string
	role     string
	program  string
	env      []string
	log      *os.File
	finished chan struct{} // closed when it ended after stop

	mu       sync.Mutex
	command  *exec.Cmd
	stopping bool
	last     error // of the last end
	starts   int
}

func startProcess(name, role, program, log string, env []string) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	p := &process{name: name, role: role, program: program, env: append(slices.Clip(env), "WAYBILL_INSTANCE="+name), log: file, finished: make(chan struct{})}
	if err := p.start(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	go p.supervise()
	return p, nil
}

func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopping {
		return errors.New("stopped")
	}
	command := exec.Command(p.program, p.role) //nolint:gosec,noctx // what the caller asked for; it is stopped
	command.Env, command.Stdout, command.Stderr = p.env, p.log, p.log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.command = command
	p.starts++
	return nil
}

func (p *process) supervise() {
	defer close(p.finished)
	for {
		err := p.command.Wait()
		p.mu.Lock()
		p.last = err
		p.mu.Unlock()
		time.Sleep(restartPause)
		if p.start() != nil {
			return
		}
	}
}

// signal sends one; a process that just ended does not get it.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.command.Process.Signal(s)
}

// started tells how often the process was started.
func (p *process) started() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts
}

// stop ends the process in good order, for good, and answers how it ended.
func (p *process) stop() error {
	p.mu.Lock()
	p.stopping = true
	_ = p.command.Process.Signal(syscall.SIGTERM)
	p.mu.Unlock()
	select {
	case <-p.finished:
	case <-time.After(stopTimeout):
		p.signal(syscall.SIGQUIT) // its goroutines go to the log
		<-p.finished
		return fmt.Errorf("%s did not end within %s", p.name, stopTimeout)
	}
	if p.last != nil {
		return fmt.Errorf("%s ended with %w", p.name, p.last)
	}
	return p.log.Close()
}

// stopTimeout is a little more than the processes allow themselves.
const stopTimeout = 40 * time.Second
