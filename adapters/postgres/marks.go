package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Marks keeps how far the relay got, by journal partition.
type Marks struct{ pool *pgxpool.Pool }

// NewMarks keeps marks in a database.
func NewMarks(pool *pgxpool.Pool) Marks { return Marks{pool} }

// Load gives, for each partition that has a mark, the broker's offset and the
// journal's offset of the same record.
func (m Marks) Load(ctx context.Context) (map[int][2]int64, error) {
	rows, err := m.pool.Query(ctx, `SELECT partition, broker_offset, journal_offset FROM relay_marks`)
	if err != nil {
		return nil, fmt.Errorf("load relay marks: %w", err)
	}
	marks := map[int][2]int64{}
	var partition int
	var broker, journal int64
	_, err = pgx.ForEachRow(rows, []any{&partition, &broker, &journal}, func() error {
		marks[partition] = [2]int64{broker, journal}
		return nil
	})
	return marks, err
}

// Save replaces the marks of the partitions named.
func (m Marks) Save(ctx context.Context, marks map[int][2]int64) error {
	var partitions []int16
	var broker, journal []int64
	for partition, mark := range marks {
		partitions = append(partitions, int16(partition)) //nolint:gosec // 0..16
		broker, journal = append(broker, mark[0]), append(journal, mark[1])
	}
	_, err := m.pool.Exec(ctx, `INSERT INTO relay_marks (partition, broker_offset, journal_offset)
		SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) ORDER BY 1
		ON CONFLICT (partition) DO UPDATE SET broker_offset = excluded.broker_offset, journal_offset = excluded.journal_offset`,
		partitions, broker, journal)
	if err != nil {
		return fmt.Errorf("save relay marks: %w", err)
	}
	return nil
}
