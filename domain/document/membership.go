package document

import "slices"

// Tally counts files by status.
type Tally struct {
	Pending   int `json:"pending,omitempty"`
	Migrated  int `json:"migrated,omitempty"`
	Passed    int `json:"passed,omitempty"`
	Failed    int `json:"failed,omitempty"`
	Skipped   int `json:"skipped,omitempty"`
	Excepted  int `json:"excepted,omitempty"`
	Cancelled int `json:"cancelled,omitempty"`
}

// Total is the number of files listed.
func (t Tally) Total() int {
	return t.Pending + t.Migrated + t.Passed + t.Failed + t.Skipped + t.Excepted + t.Cancelled
}

// Tally counts the membership's files by status.
func (m Membership) Tally() Tally {
	var t Tally
	for _, f := range m.Files {
		switch f.Status {
		case FileStatusPending:
			t.Pending++
		case FileStatusMigrated:
			t.Migrated++
		case FileStatusPassed:
			t.Passed++
		case FileStatusFailed:
			t.Failed++
		case FileStatusSkipped:
			t.Skipped++
		case FileStatusExcepted:
			t.Excepted++
		case FileStatusCancelled:
			t.Cancelled++
		}
	}
	return t
}

// File finds a file by its id.
func (m Membership) File(id string) (File, bool) {
	for _, f := range m.Files {
		if f.ID == id {
			return f, true
		}
	}
	return File{}, false
}

// listing adds listed files: pending, unless they are skipped from the start
// or kept as they had arrived.
func (m Membership) listing(listed []ListedFile, skipped []Mark, kept []string) Membership {
	at := make(map[string]int, len(listed))
	files := slices.Grow(slices.Clone(m.Files), len(listed))
	for _, l := range listed {
		at[l.ID] = len(files)
		files = append(files, File{ListedFile: l, Status: FileStatusPending})
	}
	for _, mark := range skipped {
		files[at[mark.FileID]].Status = FileStatusSkipped
	}
	for _, id := range kept {
		f, was := &files[at[id]], m.Arrived[id]
		f.Status, f.Stored, f.Digest, f.Inspection = was.Status, was.Stored, was.Digest, was.Inspection
	}
	m.Files = files
	return m
}

// arrived are the files that have arrived intact, or passed, by id.
func (m Membership) arrived() map[string]File {
	arrived := make(map[string]File, len(m.Files))
	for _, f := range m.Files {
		if f.Settled() {
			arrived[f.ID] = f
		}
	}
	return arrived
}

// Settled tells that the file arrived, or passed.
func (f File) Settled() bool { return f.Status == FileStatusMigrated || f.Status == FileStatusPassed }

// same tells that a file listed now is the one that arrived: without a hash
// from the source nobody knows.
func (f File) same(now ListedFile) bool {
	return f.Hash != "" && f.Hash == now.Hash && f.HashAlgorithm == now.HashAlgorithm
}

// processed applies what became of files in an attempt. A file that failed in
// an attempt that will be repeated stays pending.
func (m Membership) processed(outcomes []FileOutcome) Membership {
	byID := make(map[string]FileOutcome, len(outcomes))
	for _, o := range outcomes {
		byID[o.ID] = o
	}
	return m.each(func(f File) File {
		o, ok := byID[f.ID]
		if !ok || f.Status != FileStatusPending && f.Status != FileStatusFailed {
			return f
		}
		switch {
		case o.Stored != nil:
			f.Status, f.Stored, f.Digest = FileStatusMigrated, *o.Stored, o.Digests[f.HashAlgorithm]
		case o.Passed:
			f.Status = FileStatusPassed
		case o.Final:
			f.Status, f.Fault = FileStatusFailed, true
		}
		if m.Preflight && f.Status != FileStatusPending {
			f.Inspection = o.inspection()
		}
		return f
	})
}

// turn changes all files of one status to another.
func (m Membership) turn(from, to FileStatus) Membership {
	return m.each(func(f File) File {
		if f.Status == from {
			f.Status = to
			if to == FileStatusPending {
				f.Fault, f.Inspection = false, Inspection{}
			}
		}
		return f
	})
}

// blame marks the file that a document's failure names.
func (m Membership) blame(id string) Membership {
	return m.each(func(f File) File {
		f.Fault = f.Fault || f.ID == id && f.Status == FileStatusFailed
		return f
	})
}

func (m Membership) setFile(id string, status FileStatus) Membership {
	return m.each(func(f File) File {
		if f.ID == id {
			f.Status, f.Fault, f.Inspection = status, false, Inspection{}
		}
		return f
	})
}

// settle prepares the files for new work, when a skip or a recall opened it.
func (m Membership) settle(after Status) Membership {
	if after != StatusPending {
		return m
	}
	return m.turn(FileStatusFailed, FileStatusPending)
}

// each maps the files without touching those of earlier states.
func (m Membership) each(change func(File) File) Membership {
	files := make([]File, len(m.Files))
	for i, f := range m.Files {
		files[i] = change(f)
	}
	m.Files = files
	return m
}
