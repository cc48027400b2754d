package document

// Commands on the files of a document that something is true of.
type (
	// SkipFailed sets aside for now each file by which a failed document failed;
	// one that failed by no file has none.
	SkipFailed struct{ Batch, Reason, Owner, ReviewOn string }
	// RecallSkipped takes back the skips of all files.
	RecallSkipped struct{ Batch, Reason string }
)

func (SkipFailed) documentCommand()    {}
func (RecallSkipped) documentCommand() {}

func skipFailed(s State, c SkipFailed) ([]Event, error) {
	m, err := s.membership(c.Batch)
	if err != nil || m.Status != StatusFailed {
		return nil, err
	}
	failed := m.filesThat(func(f File) bool { return f.Fault })
	return s.each(failed, func(id string) Command {
		return SkipFile{Batch: c.Batch, FileID: id, Reason: c.Reason, Owner: c.Owner, ReviewOn: c.ReviewOn}
	})
}

func recallSkipped(s State, c RecallSkipped) ([]Event, error) {
	m, err := s.membership(c.Batch)
	if err != nil {
		return nil, err
	}
	skipped := m.filesThat(func(f File) bool { return f.Status == FileStatusSkipped })
	return s.each(skipped, func(id string) Command { return RecallFile{Batch: c.Batch, FileID: id, Reason: c.Reason} })
}

// filesThat gives the ids of files that something is true of.
func (m Membership) filesThat(is func(File) bool) (ids []string) {
	for _, f := range m.Files {
		if is(f) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// each decides one command after the other, each on what those before caused.
func (s State) each(ids []string, command func(id string) Command) (all []Event, err error) {
	for _, id := range ids {
		events, err := Decide(s, command(id))
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			s = Evolve(s, e)
		}
		all = append(all, events...)
	}
	return all, nil
}
