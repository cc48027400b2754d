package deliveries

import (
	"fmt"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// ID of a delivery: a webhook and where the record stands in the journal.
type ID struct {
	Webhook   string
	Partition int
	Offset    int64
}

// String names the delivery among those of its webhook: "7:123".
func (id ID) String() string { return fmt.Sprintf("%d:%d", id.Partition, id.Offset) }

// ParseID is the inverse of String; a *domain.Refusal when it names nothing.
func ParseID(webhook, text string) (ID, error) {
	position, err := wire.ParsePosition(text)
	for partition, offset := range position {
		if id := (ID{webhook, partition, offset}); err == nil && id.String() == text {
			return id, nil
		}
	}
	return ID{}, domain.RefuseNotFound("delivery", domain.TruncateTo(text, 100))
}
