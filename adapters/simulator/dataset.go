package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Config of a data set and of the service in front of it. What is left out has
// the default in brackets.
type Config struct {
	Seed      uint64
	Documents int
	Faults    map[Fault]int // how many documents have each
	From, To  string        // bill dates, YYYY-MM-DD, both inclusive
	FileSize  int           // bytes, about: from half of it to one and a half
	MinFiles  int           // of a document [1]
	MaxFiles  int           // of a document [MinFiles]: from MinFiles to this, in turn

	// LargeDocument, when it is not 0, is how many files the first document has.
	LargeDocument int

	HashAlgorithm string // of fileHash: md5, sha1, sha256, sm3 [md5]
	SignAlgorithm string // of token requests: md5, sha256, hmac-sha256 [md5]
	TimestampUnit string // of token requests: ms, s [ms]

	URLLife    time.Duration // after which a file's URL is refused [1h]
	ClockAhead time.Duration // of this machine's, negative: behind

	// Hostile, when it is set, is how data calls misbehave while disturbed.
	Hostile Hostile
	// RefusedOrganization, when it is set, is refused in whatever phase.
	RefusedOrganization string
}

func (c Config) withDefaults() Config {
	for field, value := range map[*string]string{&c.HashAlgorithm: "md5", &c.SignAlgorithm: "md5", &c.TimestampUnit: "ms"} {
		if *field == "" {
			*field = value
		}
	}
	if c.URLLife == 0 {
		c.URLLife = urlLife
	}
	c.MinFiles = max(c.MinFiles, 1)
	c.MaxFiles = max(c.MaxFiles, c.MinFiles)
	return c
}

// Limits of a data set.
const (
	maxDocuments = 10_000_000
	maxFiles     = 100_000
	maxFileSize  = 64 << 20
)

// Validate names everything that is wrong, by the names of standardsim's flags.
func (c Config) Validate() error {
	c = c.withDefaults()
	var faults []error
	when := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	when(c.Documents < 0 || c.Documents > maxDocuments, "documents: give 0 to %d, not %d", maxDocuments, c.Documents)
	when(c.MaxFiles > maxFiles || c.LargeDocument < 0 || c.LargeDocument > maxFiles, "max-files, large-document: give %d files of a document at most", maxFiles)
	when(c.FileSize < 0 || c.FileSize > maxFileSize, "file-size: give 0 to %d bytes, not %d", maxFileSize, c.FileSize)
	from, err := time.Parse(time.DateOnly, c.From)
	when(err != nil, "from: give a date as 2024-01-31, not %q", c.From)
	to, err := time.Parse(time.DateOnly, c.To)
	when(err != nil, "to: give a date as 2024-01-31, not %q", c.To)
	when(to.Before(from), "to: give a date that is not before %s", c.From)
	when(hashes[c.HashAlgorithm] == nil, "hash: give md5, sha1, sha256 or sm3, not %q", c.HashAlgorithm)
	when(signatures[c.SignAlgorithm] == nil, "sign: give md5, sha256 or hmac-sha256, not %q", c.SignAlgorithm)
	when(c.TimestampUnit != "ms" && c.TimestampUnit != "s", "timestamp: give ms or s, not %q", c.TimestampUnit)
	when(c.Hostile != "" && !slices.Contains(hostilities, c.Hostile), "hostile: give one of %s, not %q", join(hostilities), c.Hostile)
	total := 0
	for fault, n := range c.Faults {
		when(!slices.Contains(faultOrder, fault), "faults: give names of %s, not %q", join(faultOrder), fault)
		when(n < 0, "faults: %s cannot be of %d documents", fault, n)
		total += max(n, 0)
	}
	when(total > c.Documents/2, "faults: %d documents have room for %d faults, not %d", c.Documents, c.Documents/2, total)
	return errors.Join(faults...)
}

func join[N ~string](names []N) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}

type record struct {
	index       int
	imageNumber string
	resource    string
	billID      string
	billNumber  string
	billType    string
	org         string
	billDate    string
	fault       Fault
	faulty      int    // which file has the fault
	missing     string // field that the item lacks
	files       []file
}

type file struct {
	id       string
	class    int // 0 cover, 1 invoice, 2 attachment
	sequence int
	name     string
	format   string
	dpi      int
	size     int // bytes, about
}

var (
	organizations = []string{"ORG-001", "ORG-002", "ORG-003", "ORG-004", "ORG-005"}
	billTypes     = []string{"er_dailyreimburse", "er_tripreimburse", "ap_invoice", "gl_voucher"}
	resources     = []string{"EAS", "K3CLOUD", "影像平台"}
	formats       = []string{"pdf", "jpg", "pdf", "png", "tif", "pdf", "jpg", "ofd", "jpg", "xml", "png", "pdf", "jpg"}
)

// generate makes the documents, in order of bill date.
func (c Config) generate() ([]record, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	from, _ := time.Parse(time.DateOnly, c.From) // was validated
	to, _ := time.Parse(time.DateOnly, c.To)
	days := int(to.Sub(from).Hours()/24) + 1
	records := make([]record, c.Documents)
	for i := range records {
		records[i] = c.record(i, from.AddDate(0, 0, i*days/c.Documents).Format(time.DateOnly))
	}
	c.spoil(records)
	return records, nil
}

func (c Config) record(i int, date string) record {
	r := record{
		index: i, imageNumber: fmt.Sprintf("IMG-%d-%08d", c.Seed, i), resource: resources[i%len(resources)],
		billID: fmt.Sprintf("B%d_%d", c.Seed, i), billNumber: fmt.Sprintf("BILL-%06d", i), billType: billTypes[i%len(billTypes)],
		org: organizations[i%len(organizations)], billDate: date,
	}
	if i%97 == 5 { // what an image number may hold, too
		r.imageNumber = fmt.Sprintf("影像 %d/%d 号%%+#?", c.Seed, i)
	}
	n := c.MinFiles + i%(c.MaxFiles-c.MinFiles+1)
	if i == 0 && c.LargeDocument > 0 {
		n = c.LargeDocument
	}
	for n := range n {
		format := formats[(i*7+n)%len(formats)]
		r.files = append(r.files, file{
			id: fmt.Sprintf("f%d-%d", i, n), class: min(n, 2), sequence: n + 1, name: fmt.Sprintf("扫描件 %d-%d.%s", i, n, format),
			format: format, dpi: 300, size: c.FileSize/2 + (i*7919+n*104729)%max(c.FileSize, 1),
		})
	}
	return r
}
