package document

// Filed says that a document was filed in a target system beside the archive,
// and what was read back of it there.
type Filed struct {
	Target  string `json:"target"`  // its kind: "flagship"
	Address string `json:"address"` // its URL, as the profile had it
	Account string `json:"account,omitempty"`
	// Resource and ImageNumber name the document there.
	Resource    string `json:"resource"`
	ImageNumber string `json:"imageNumber"`
	Status      string `json:"status,omitempty"` // of the document, in the target's words
	Files       int    `json:"files"`
	Compared    int    `json:"compared"` // files whose bytes were read back there and found equal
}

// Same tells whether a document that was filed lies where another would: filed
// there again, it takes its own place.
func (f Filed) Same(other Filed) bool {
	return f.Target == other.Target && f.Address == other.Address && f.Account == other.Account &&
		f.Resource == other.Resource && f.ImageNumber == other.ImageNumber
}

// filed is where the document lies after a migration: one that changed nothing
// in the archive, and filed nothing, leaves it where it was.
func (a Archive) filed(e Migrated) *Filed {
	if e.Filed == nil && a.Manifest.SHA256 == e.Manifest.SHA256 {
		return a.Filed
	}
	return e.Filed
}
