package simulator

import (
	"encoding/json"
	"net/http"
)

// Truth is what the simulator serves: what a migration must arrive at.
type Truth struct {
	Documents []TruthDocument
}

// TruthDocument is a document with the SHA-256 of its files' bytes.
type TruthDocument struct {
	ImageNumber string
	Resource    string
	BillNumber  string
	Fault       Fault
	Files       []TruthFile
}

// TruthFile is a file as served.
type TruthFile struct {
	ID     string
	SHA256 string
	Bytes  int
}

// Truth of the data set.
func (s *Simulator) Truth() Truth {
	var t Truth
	for i, d := range s.documents {
		found := s.digestsOf(i)
		document := TruthDocument{ImageNumber: d.ImageNumber, Resource: d.Resource, BillNumber: d.BillNumber, Fault: d.Fault}
		for n, f := range d.Files {
			document.Files = append(document.Files, TruthFile{ID: f.ID, SHA256: found[n].sha256, Bytes: found[n].size})
		}
		t.Documents = append(t.Documents, document)
	}
	return t
}

func (s *Simulator) truth(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.Truth())
}

func (s *Simulator) getPhase(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"phase": s.phase, "stats": s.served})
}

func (s *Simulator) putPhase(w http.ResponseWriter, r *http.Request) {
	var wanted struct{ Phase Phase }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1000)).Decode(&wanted); err != nil || wanted.Phase != Disturbed && wanted.Phase != Recovered {
		http.Error(w, `give {"phase": "disturbed"} or {"phase": "recovered"}`, http.StatusBadRequest)
		return
	}
	s.SetPhase(wanted.Phase)
	w.WriteHeader(http.StatusNoContent)
}
