package deliveries

import (
	"time"

	"github.com/waybill-migration/waybill/domain/wire"
)

// stretch is what was read of a partition.
type stretch struct {
	records []wire.Raw
	whole   bool // up to the head: what is not read yet was written after
}

// merge puts records of several partitions into the order in which they were
// written, as far as that is known: where a partition was not read to its head,
// its next record may come before all that is left. Records of one append have
// one time, in the order of their partitions.
func merge(stretches []stretch) ([]wire.Raw, error) {
	fronts := make([]front, len(stretches))
	for i, s := range stretches {
		fronts[i] = front{stretch: s}
		if err := fronts[i].look(); err != nil {
			return nil, err
		}
	}
	var merged []wire.Raw
	for {
		first := -1
		for i := range fronts {
			switch f := &fronts[i]; {
			case len(f.records) == 0 && !f.whole:
				return merged, nil
			case len(f.records) > 0 && (first < 0 || f.at.Before(fronts[first].at)):
				first = i
			}
		}
		if first < 0 {
			return merged, nil
		}
		merged = append(merged, fronts[first].records[0])
		fronts[first].records = fronts[first].records[1:]
		if err := fronts[first].look(); err != nil {
			return nil, err
		}
	}
}

// front is what is left of a stretch.
type front struct {
	stretch
	at time.Time // of the first record
}

func (f *front) look() (err error) {
	if len(f.records) > 0 {
		f.at, err = wire.TimeOf(f.records[0].Bytes)
	}
	return err
}
