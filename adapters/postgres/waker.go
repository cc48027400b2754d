package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// notifyChannel is the prefix of the channel that an append notifies; the
// schema's name follows.
const notifyChannel = "waybill_journal_"

// wakeInterval bounds how long a follower sleeps when a notification is lost.
const wakeInterval = time.Second

// Waker tells followers of the journal that something was appended, by
// whichever process. A wake-up says "look", never what there is.
type Waker struct {
	mu   sync.Mutex
	next chan struct{}
}

// NewWaker listens on a connection of its own until ctx ends; it reconnects by
// itself, and wakes once a second whatever happens.
func NewWaker(ctx context.Context, pool *pgxpool.Pool) *Waker {
	w := &Waker{next: make(chan struct{})}
	go func() {
		for ctx.Err() == nil {
			w.listen(ctx, pool)
			w.wake()
			select {
			case <-ctx.Done():
			case <-time.After(wakeInterval):
			}
		}
	}()
	return w
}

// Next is closed at the next wake-up. Take it before looking.
func (w *Waker) Next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next
}

func (w *Waker) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.next)
	w.next = make(chan struct{})
}

// listen returns when the connection is lost.
func (w *Waker) listen(ctx context.Context, pool *pgxpool.Pool) {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return
	}
	connection := c.Hijack() // a listening connection never goes back to the pool
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
	var channel string
	if err := connection.QueryRow(ctx, `SELECT quote_ident($1 || current_schema())`, notifyChannel).Scan(&channel); err != nil {
		return
	}
	if _, err := connection.Exec(ctx, "LISTEN "+channel); err != nil {
		return
	}
	w.wake()
	for {
		wait, cancel := context.WithTimeout(ctx, wakeInterval)
		_, err := connection.WaitForNotification(wait)
		timedOut := wait.Err() != nil
		cancel()
		if err != nil && !timedOut || ctx.Err() != nil {
			return
		}
		w.wake()
	}
}
