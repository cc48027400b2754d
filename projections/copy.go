package projections

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// copying writes rows that are not there yet by COPY, which takes the server
// half of what an INSERT from arrays does: most of what a rebuild writes is new
// rows. Values are appended in the order of the columns, in PostgreSQL's binary
// form; a value of the wrong type for its column is refused by the server.
type copying struct {
	table, columns string
	width          int16
	bytes          []byte
}

// copyHeader begins the binary form: a signature, no flags, no extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func newCopying(table, columns string) *copying {
	buffer := copyBuffers.Get().(*[]byte)
	return &copying{table: table, columns: columns, width: int16(strings.Count(columns, ",") + 1), bytes: append((*buffer)[:0], copyHeader...)} //nolint:gosec // a few
}

// copyBuffers are used again: a rebuild fills one of many megabytes some
// thousand times, and growing it each time costs as much as filling it.
var copyBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (c *copying) row() { c.bytes = binary.BigEndian.AppendUint16(c.bytes, uint16(c.width)) } //nolint:gosec // see above

func (c *copying) size(n int) { c.bytes = binary.BigEndian.AppendUint32(c.bytes, uint32(n)) } //nolint:gosec // of a text in a record

// texts also go into columns of the type json.
func (c *copying) texts(values ...string) {
	for _, value := range values {
		c.size(len(value))
		c.bytes = append(c.bytes, value...)
	}
}

func (c *copying) null() { c.bytes = append(c.bytes, 0xff, 0xff, 0xff, 0xff) }

func (c *copying) optional(value *string) {
	if value == nil {
		c.null()
		return
	}
	c.texts(*value)
}

// jsonb is its version and the text.
func (c *copying) jsonb(value *string) {
	if value == nil {
		c.null()
		return
	}
	c.size(1 + len(*value))
	c.bytes = append(append(c.bytes, 1), *value...)
}

func (c *copying) smallint(value int) {
	c.size(2)
	c.bytes = binary.BigEndian.AppendUint16(c.bytes, uint16(value)) //nolint:gosec // a partition
}

func (c *copying) integers(values ...int) {
	for _, value := range values {
		c.size(4)
		c.bytes = binary.BigEndian.AppendUint32(c.bytes, uint32(value)) //nolint:gosec // what does not fit int did not fit before
	}
}

func (c *copying) bigint(value int64) {
	c.size(8)
	c.bytes = binary.BigEndian.AppendUint64(c.bytes, uint64(value)) //nolint:gosec // two's complement is what is wanted
}

// epoch of PostgreSQL's times, which are in microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *copying) time(value time.Time) {
	c.bigint(value.UnixMicro() - epoch.UnixMicro())
}

// write the rows, if there are any, and give the buffer back. One whose copying
// failed is not used again: pgx may still be reading it for a connection that
// broke.
func (c *copying) write(ctx context.Context, tx pgx.Tx) error {
	if len(c.bytes) > len(copyHeader) {
		c.bytes = append(c.bytes, 0xff, 0xff)
		_, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(c.bytes), "COPY "+c.table+" ("+c.columns+") FROM STDIN (FORMAT binary)")
		if err != nil {
			return fmt.Errorf("copy into %s: %w", c.table, err)
		}
	}
	copyBuffers.Put(&c.bytes)
	return nil
}
