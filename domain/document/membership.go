package document

// Tally counts files by status.
type Tally struct {
	Pending   int `json:"pending,omitempty"`
	Migrated  int `json:"migrated,omitempty"`
	Failed    int `json:"failed,omitempty"`
	Skipped   int `json:"skipped,omitempty"`
	Excepted  int `json:"excepted,omitempty"`
	Cancelled int `json:"cancelled,omitempty"`
}

// Total is the number of files listed.
func (t Tally) Total() int {
	return t.Pending + t.Migrated + t.Failed + t.Skipped + t.Excepted + t.Cancelled
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

// listing adds listed files; one with a mark is skipped from the start.
func (m Membership) listing(listed []ListedFile, skips map[string]Skip) Membership {
	files := make([]File, len(m.Files), len(m.Files)+len(listed))
	copy(files, m.Files)
	for _, l := range listed {
		status := FileStatusPending
		if _, marked := skips[l.ID]; marked {
			status = FileStatusSkipped
		}
		files = append(files, File{ListedFile: l, Status: status})
	}
	m.Files = files
	return m
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
		if o.Stored != nil {
			f.Status, f.Stored, f.Digest = FileStatusMigrated, *o.Stored, o.Digests[f.HashAlgorithm]
		} else if o.Final {
			f.Status = FileStatusFailed
		}
		return f
	})
}

// turn changes all files of one status to another.
func (m Membership) turn(from, to FileStatus) Membership {
	return m.each(func(f File) File {
		if f.Status == from {
			f.Status = to
		}
		return f
	})
}

func (m Membership) setFile(id string, status FileStatus) Membership {
	return m.each(func(f File) File {
		if f.ID == id {
			f.Status = status
		}
		return f
	})
}

// settle prepares the files for new work, when a skip or a recall opened it.
func (m Membership) settle(after Status) Membership {
	if after != StatusPending {
		return m
	}
	m.Attempt = 0
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
