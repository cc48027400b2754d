package document

import "github.com/waybill-migration/waybill/domain"

// CauseOf gives why an event leaves its document failed, without what is of this
// document alone; false where it leaves it otherwise, or failed as it was.
func CauseOf(event Event) (domain.Cause, bool) {
	switch e := event.(type) {
	case Failed:
		return cause(e.Change, e.Failure, e.Files), true
	case Judged:
		if e.Failure != nil {
			return cause(e.Change, *e.Failure, e.Files), true
		}
	case VerificationFailed:
		if e.Before == StatusMigrated && e.After == StatusFailed {
			names := make([]string, 0, len(e.Objects))
			for _, o := range e.Objects {
				names = append(names, o.Key)
			}
			return cause(e.Change, e.Failure, nil, names...), true
		}
	}
	return domain.Cause{}, false
}

func cause(c Change, f domain.Failure, files []FileOutcome, names ...string) domain.Cause {
	names = append(names, c.ImageNumber, c.Anonymous, c.BillNumber, f.FileID)
	for _, o := range files {
		if o.ID == f.FileID {
			names = append(names, o.Name, domain.TruncateTo(o.Name, MaxNamed))
		}
	}
	return f.Cause(names...)
}

// MaxNamed is how many bytes of a file's name stand in the detail of a failure.
const MaxNamed = 100
