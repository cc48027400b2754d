package domain

// Stored says where bytes are kept and what they are. The key holds the
// digest of the content, so equal bytes are the same object.
type Stored struct {
	Target  string `json:"target"` // the archive's name: "folder"
	Key     string `json:"key"`
	Version string `json:"version,omitempty"` // the target's own version, where it has one
	SHA256  string `json:"sha256"`            // lower-case hex
	Bytes   int64  `json:"bytes"`
}
