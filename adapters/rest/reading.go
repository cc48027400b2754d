package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// stretchRecords and stretchBytes bound what a reader holds in memory.
	stretchRecords = 500
	stretchBytes   = 1 << 20
	// pace is how often a live tail looks at most, however much is committed.
	pace = 100 * time.Millisecond
)

// errEnding: the process ends before the answer does.
var errEnding = errors.New("the process ends")

// reading is one answer that reads events.
type reading struct {
	*server
	at       wire.Position // up to here everything was sent or left out
	keeps    func(wire.Raw) (bool, error)
	seen     *sight // nil: all
	stream   string
	latest   bool
	follow   bool
	bounded  bool
	left     int                         // records, when it is bounded
	mayStill func(context.Context) error // asks again whether its reader may read

	beat   <-chan time.Time
	body   http.ResponseWriter
	out    *http.ResponseController
	broken bool // the client takes nothing more
}

// answer sends what there is up to the heads, and then what comes.
func (r *reading) answer(c huma.Context, heads wire.Position) {
	gin := humagin.Unwrap(c)
	r.body, r.out = gin.Writer, http.NewResponseController(gin.Writer)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	r.beat = beat.C
	ctx, cancel := context.WithTimeout(c.Context(), maxReading)
	defer cancel()
	err := r.read(ctx, heads)
	if err == nil || r.follow && (errors.Is(err, errEnding) || ctx.Err() == context.DeadlineExceeded) {
		gin.Writer.Header().Set(positionHeader, r.at.String())
		return
	}
	if _, told := problemOf(err); !told && !r.broken && !errors.Is(err, errEnding) {
		requestOf(ctx).failure = err
	}
	// The answer has begun. Without its end the client knows that it is not
	// whole: nothing more can be written after this.
	_ = r.out.SetWriteDeadline(time.Unix(1, 0))
}

func (r *reading) read(ctx context.Context, heads wire.Position) error {
	for {
		woken := r.Waker.Next()
		if err := r.catchUp(ctx, heads); err != nil {
			return err
		}
		if err := r.flush(); err != nil || !r.follow || r.done() {
			return err
		}
		if err := await(ctx, r, time.After(pace)); err != nil {
			return err
		}
		if err := await(ctx, r, woken); err != nil {
			return err
		}
		var err error
		if heads, err = r.Journal.Heads(ctx); err != nil {
			return err
		}
	}
}

func (r *reading) done() bool { return r.bounded && r.left == 0 }

// await a signal, and keep the connection alive meanwhile.
func await[T any](ctx context.Context, r *reading, signal <-chan T) error {
	for {
		select {
		case <-signal:
			return nil
		case <-r.beat:
			if err := r.pulse(ctx); err != nil {
				return err
			}
		case <-r.Ending:
			return errEnding
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tend does between two stretches what await does.
func (r *reading) tend(ctx context.Context) error {
	select {
	case <-r.beat:
		return r.pulse(ctx)
	case <-r.Ending:
		return errEnding
	default:
		return nil
	}
}

func (r *reading) pulse(ctx context.Context) error {
	if err := r.mayStill(ctx); err != nil {
		return err
	}
	if r.follow {
		if err := r.line(nil); err != nil {
			return err
		}
	}
	return r.flush()
}

// catchUp sends what lies before the heads, a stretch of each partition in
// turn.
func (r *reading) catchUp(ctx context.Context, heads wire.Position) error {
	for behind := true; behind; {
		behind = false
		for partition := range domain.Partitions {
			if r.at[partition] >= heads[partition] {
				continue
			}
			if err := r.stretch(ctx, partition, heads[partition]); err != nil || r.done() {
				return err
			}
			if err := r.tend(ctx); err != nil {
				return err
			}
			behind = behind || r.at[partition] < heads[partition]
		}
	}
	return nil
}

// stretch sends a part of a partition and moves on.
func (r *reading) stretch(ctx context.Context, partition int, head int64) error {
	records, upTo, err := r.next(ctx, partition, head)
	if err != nil {
		return err
	}
	if r.seen != nil {
		clear(r.seen.whole)
	}
	for _, record := range records {
		keep, err := r.keeps(record)
		if err == nil && keep && r.seen != nil {
			keep, err = r.seen.shows(ctx, record)
		}
		if err != nil {
			return err
		}
		if keep {
			if err := r.send(record); err != nil {
				return err
			}
		}
		r.at[partition] = record.Offset
		if r.done() {
			return nil
		}
	}
	r.at[partition] = upTo
	return nil
}

// next are the records to look at, and up to where they leave nothing out.
func (r *reading) next(ctx context.Context, partition int, head int64) (records []wire.Raw, upTo int64, err error) {
	after := r.at[partition]
	switch {
	case r.stream == "":
		records, err = r.Journal.Stretch(ctx, partition, after, min(head, after+stretchRecords), stretchBytes)
	case partition == domain.PartitionOf(r.stream):
		records, err = r.Journal.StretchOfStream(ctx, r.stream, after, head, stretchRecords, stretchBytes)
		if len(records) == 0 {
			return nil, head, err
		}
	default:
		return nil, head, nil
	}
	if len(records) > 0 {
		after = records[len(records)-1].Offset
	}
	return records, after, err
}

func (r *reading) send(record wire.Raw) error {
	content := record.Bytes
	if r.latest {
		name, err := wire.NameOf(content)
		if err != nil {
			return err
		}
		if content, err = r.mapped.Latest(content, name); err != nil {
			return err
		}
	}
	r.left--
	return r.line(content)
}

// line writes a record, or an empty line.
func (r *reading) line(content []byte) error {
	return r.to(func() error {
		_, err := r.body.Write(append(content, '\n'))
		return err
	})
}

func (r *reading) flush() error { return r.to(r.out.Flush) }

// to the client goes what is written now. One that takes nothing for as long
// as a request may last is given up.
func (r *reading) to(write func() error) error {
	err := r.out.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		err = write()
	}
	r.broken = r.broken || err != nil
	return err
}

// concerns tells whether a record belongs to a batch: its own stream, or data
// that names it.
func concerns(r wire.Raw, number string) bool {
	if r.Stream == domain.BatchStream(number) {
		return true
	}
	quoted, _ := json.Marshal(number) // a string always encodes
	_, data, found := bytes.Cut(r.Bytes, []byte(`,"data":`))
	if !found || !bytes.Contains(data, append([]byte(`"batch":`), quoted...)) {
		return false // as most are, which saves decoding them
	}
	var named struct{ Data struct{ Batch string } }
	return json.Unmarshal(r.Bytes, &named) == nil && named.Data.Batch == number
}
