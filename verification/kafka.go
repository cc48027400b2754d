package verification

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain/wire"
)

// compareKafka holds what Kafka gives a consumer against the journal, byte for
// byte. All partitions at once: Kafka's clients begin each with a pause.
func (r *run) compareKafka(ctx context.Context) {
	if r.Kafka == nil {
		r.kafka.skip("Kafka was not compared")
		return
	}
	relayed, err := r.Kafka.Relayed(ctx)
	if err != nil {
		r.kafka.fail(err)
		return
	}
	var group errgroup.Group
	var behind atomic.Int64
	for partition, head := range r.heads {
		group.Go(func() error {
			c := &comparison{run: r, partition: partition}
			err := r.Kafka.Replay(ctx, partition, 0, func(record []byte) error { return c.next(ctx, record) })
			r.kafka.fail(err)
			c.advance()
			if err == nil {
				behind.Add(c.tail(head, relayed[partition]))
			}
			return nil
		})
	}
	_ = group.Wait()
	if n := behind.Load(); n > 0 {
		r.kafka.note = fmt.Sprintf("Kafka is behind the journal by %d records, which the relay has not sent yet", n)
	}
}

// comparison walks one partition of Kafka with the journal beside it.
type comparison struct {
	*run
	partition int
	last      int64 // offset of the last record that Kafka gave
	counted   int64 // of them
	page      []wire.Raw
}

// next compares a record of Kafka, the one after the last by the one rule,
// with the journal's. The journal is read after Kafka: what Kafka has by then
// was committed before.
func (c *comparison) next(ctx context.Context, record []byte) error {
	if len(c.page) == 0 {
		page, err := c.Journal.Read(ctx, c.partition, c.last, pageSize)
		if err != nil {
			return err
		}
		c.page = page
		c.advance()
	}
	c.last++
	place := at(c.partition, c.last)
	for len(c.page) > 0 && c.page[0].Offset < c.last {
		c.page = c.page[1:]
	}
	if len(c.page) == 0 || c.page[0].Offset != c.last {
		c.kafka.wrongAt(place, "Kafka has the record and the journal has not")
		return nil
	}
	own := c.page[0].Bytes
	c.page = c.page[1:]
	if !bytes.Equal(own, record) {
		c.kafka.wrongAt(place, "Kafka's record differs from the journal's, from byte %d on", firstDifference(own, record))
	}
	return nil
}

func (c *comparison) advance() {
	c.tell("kafka", c.kafka.count(c.last-c.counted), c.total)
	c.counted = c.last
}

// tail says by how much Kafka is behind. What the relay had sent and a
// consumer does not get is lost, not late.
func (c *comparison) tail(head, relayed int64) (behind int64) {
	if c.last < relayed {
		c.kafka.wrongAt(at(c.partition, c.last+1), "Kafka has no such record behind %s, though the relay sent all up to %s: a consumer stops here", at(c.partition, c.last), at(c.partition, relayed))
		return 0
	}
	return max(head-c.last, 0)
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
