package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// consume times a raw consumer: every partition at once, each record decoded
// and thrown away.
func (h *history) consume(b *testing.B) time.Duration {
	config, err := h.kafka.Client("raw")
	must(b, err)
	client, err := sarama.NewClient(h.kafka.Brokers, config)
	must(b, err)
	defer func() { _ = client.Close() }()
	consumer, err := sarama.NewConsumerFromClient(client)
	must(b, err)
	began := time.Now()
	var consuming errgroup.Group
	var consumed atomic.Int64
	for partition, head := range h.heads {
		topic, at := h.kafka.ControlTopic(), int32(0)
		if partition > 0 {
			topic, at = h.kafka.DocumentsTopic(), int32(partition-1)
		}
		consuming.Go(func() error {
			messages, err := consumer.ConsumePartition(topic, at, sarama.OffsetOldest)
			if err != nil {
				return err
			}
			defer messages.AsyncClose()
			for m := range messages.Messages() {
				record, err := wire.Decode(m.Value)
				if err != nil {
					return err
				}
				if consumed.Add(1); record.Offset == head {
					return nil
				}
			}
			return fmt.Errorf("partition %d ended early", partition)
		})
	}
	must(b, consuming.Wait())
	took := time.Since(began)
	if consumed.Load() != h.events() {
		b.Fatalf("%d of %d events consumed", consumed.Load(), h.events())
	}
	return took
}

func (h *history) kafkaSize(b *testing.B) (bytes int64) {
	config, err := h.kafka.Client("sizes")
	must(b, err)
	admin, err := sarama.NewClusterAdmin(h.kafka.Brokers, config)
	must(b, err)
	defer func() { _ = admin.Close() }()
	brokers, _, err := admin.DescribeCluster()
	must(b, err)
	var ids []int32
	for _, broker := range brokers {
		ids = append(ids, broker.ID())
	}
	found, err := admin.DescribeLogDirs(ids)
	must(b, err)
	for _, directories := range found {
		for _, directory := range directories {
			for _, topic := range directory.Topics {
				if topic.Topic != h.kafka.ControlTopic() && topic.Topic != h.kafka.DocumentsTopic() {
					continue
				}
				for _, p := range topic.Partitions {
					bytes += p.Size
				}
			}
		}
	}
	return bytes
}

const (
	// copyWriters COPY at once, as many as views are filled at once.
	copyWriters = 6
	// copyPages of a table, 64 MB, are a piece of it.
	copyPages = 8192
)

// copyViews times a COPY of the live views' rows into the same tables, in the
// way that is fastest, which is also the rebuild's: rows are packed, and
// indexes that are not needed meanwhile are made at the end. The rows lie in
// files, in COPY's own format.
func (h *history) copyViews(b *testing.B) time.Duration {
	pieces := h.exportViews(b, b.TempDir())
	pool, err := postgres.Open(b.Context(), postgrestest.URL(b), "bench", copyWriters)
	must(b, err)
	defer pool.Close()
	must(b, projections.Migrate(b.Context(), pool, projections.Views()...))
	execute(b, pool, loosen)
	execute(b, pool, "CHECKPOINT")
	began := time.Now()
	var copying errgroup.Group
	copying.SetLimit(copyWriters)
	for _, p := range pieces {
		copying.Go(func() error { return p.copyIn(b, pool) })
	}
	must(b, copying.Wait())
	for _, view := range projections.Views() {
		copying.Go(func() error {
			_, err := pool.Exec(b.Context(), view.Schema)
			return err
		})
	}
	must(b, copying.Wait())
	took := time.Since(began)
	for _, p := range pieces {
		must(b, os.Remove(p.file))
	}
	for _, table := range h.tables { // the disk is needed
		execute(b, pool, "DROP TABLE "+table)
	}
	b.Logf("%s COPY of %d pieces took %s", time.Now().Format(time.TimeOnly), len(pieces), took.Round(time.Millisecond))
	return took
}

const loosen = `DO $$ DECLARE statement text; BEGIN
	FOR statement IN
		SELECT format('DROP INDEX %I', c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisunique
		UNION ALL SELECT format('ALTER TABLE %I RESET (fillfactor)', relname) FROM pg_class
		WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND reloptions IS NOT NULL
	LOOP EXECUTE statement; END LOOP; END $$`

// rowsPiece is a part of a table's rows in a file.
type rowsPiece struct{ table, columns, file string }

func (p rowsPiece) copyIn(b *testing.B, pool *pgxpool.Pool) error {
	file, err := os.Open(p.file)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	connection, err := pool.Acquire(b.Context())
	if err != nil {
		return err
	}
	defer connection.Release()
	_, err = connection.Conn().PgConn().CopyFrom(b.Context(), file, fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", p.table, p.columns))
	return err
}

func (h *history) exportViews(b *testing.B, dir string) (pieces []rowsPiece) {
	connection, err := h.pool.Acquire(b.Context())
	must(b, err)
	defer connection.Release()
	for _, table := range h.tables {
		var pages int
		must(b, connection.QueryRow(b.Context(), `SELECT pg_relation_size($1::regclass) / 8192`, table).Scan(&pages))
		var columns string
		must(b, connection.QueryRow(b.Context(), `SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
			WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`, table).Scan(&columns))
		for page := 0; page < pages; page += copyPages {
			p := rowsPiece{table, columns, filepath.Join(dir, fmt.Sprintf("%s-%d", table, page))}
			pieces = append(pieces, p)
			file, err := os.Create(p.file)
			must(b, err)
			_, err = connection.Conn().PgConn().CopyTo(b.Context(), file,
				fmt.Sprintf("COPY (SELECT %s FROM %s WHERE ctid >= '(%d,0)' AND ctid < '(%d,0)') TO STDOUT (FORMAT binary)", columns, table, page, page+copyPages))
			must(b, err)
			must(b, file.Close())
		}
	}
	return pieces
}
