// Package wire is the record: how an event stands in the journal, in Kafka and
// in exports. It is encoded once, as a CloudEvents 1.0 JSON document, and
// those bytes are what is stored, carried, replayed and hashed everywhere.
//
// Coordinates (partition, sequence, streamversion) and the time are known only
// under the lock of the partition's head, so a Draft holds everything else
// encoded and Place splices the four in front.
//
// CloudEvents attributes beyond the standard ones, lower-case letters and
// digits as the specification demands:
//
//	partition      journal partition, integer
//	sequence       offset in the partition from 1, 20 digits with leading zeros,
//	               so that it orders as text (the documented sequence extension)
//	streamversion  place in the stream from 1, integer
//	commandid      the command that caused the event
//	requestid, correlationid, causationid, operationid, traceparent
//	actor*         who did it: kind, issuer, subject, roles (comma-separated)
//	initiator*     the person in whose name a worker or policy acts
//	approver*      the second operator, of what takes two
//	build          software version and commit
//
// The subject is the stream, which is also the key in Kafka; there is no
// separate partitionkey, since it would say the same again in every record.
//
// # Listed files
//
// The files of a document stand in its discovered or relisted event and, as
// many as it has no room for, in the files-listed events that follow it in the
// same append: 500 files at most in each, fewer when their texts are long, so
// that each record stays within MaxRecord. A document's filesTotal says how
// many there are. Of the files in the event, skipped names those that a mark
// sets aside, with what the mark says, and kept those that had arrived intact
// and are the same by id and declared hash: they stay migrated and are not
// fetched again.
//
// # Versions
//
// What was written is never changed, so an event that needs another shape gets
// a new version:
//
//  1. Freeze the old shape as a struct in upcast_{aggregate}.go, with a
//     conversion to the aggregate's type (the rules are at upcast).
//  2. Change the aggregate's type, its Evolve and the views: they know the
//     newest shape only.
//  3. In names.go raise the version in TypeOf, add it to forms and read the
//     old one through upcast.
//  4. In samples_test.go move the old name to upcasted, with what its golden
//     file is now read as, and give samples the new one.
//  5. Write the new golden file with go test ./domain/wire -update; the old one
//     stays as it is.
//  6. Write the mapping from the old version as data, with fixtures, in
//     contract/schemas/mappings, and run go generate ./contract/... for the
//     schemas that are published. A new event needs only the latter.
//
// A member that may be missing, with omitempty, needs no new version: fill it in
// samples, put what the golden file is still read as into widened, and write the
// next edition of the file.
//
// Outside consumers have none of these upcasters. For them, within a version
// members are only added, and may always be missing; enumerations are open.
// Whatever else changes is a new version: the test of contract/generate
// compares with what is published and finds it.
//
// During a rolling upgrade the old processes' views stop at the first event of
// the new version, say so, and go on when they are upgraded; a build that does
// not know a type that is stored refuses to start.
package wire

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 9562 defines UUID version 5 with SHA-1; nothing is secured by it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
)

// MaxRecord is the size limit of a record in bytes: Kafka takes 1 MiB by
// default, with its own overhead.
const MaxRecord = 900_000

// TimeFormat of a record's time: UTC, microseconds, of fixed length so that it
// orders as text.
const TimeFormat = "2006-01-02T15:04:05.000000Z"

// UUID in binary form.
type UUID [16]byte

// String in the usual form.
func (u UUID) String() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ParseUUID reads the usual form. It allocates nothing: every record has three.
func ParseUUID(text string) (UUID, error) {
	var u UUID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return UUID{}, notUUID(text)
	}
	for i, at := range [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		high, low := nibble(text[at]), nibble(text[at+1])
		if high > 15 || low > 15 {
			return UUID{}, notUUID(text)
		}
		u[i] = high<<4 | low
	}
	return u, nil
}

func notUUID(text string) error {
	return fmt.Errorf("%q is not a UUID", domain.TruncateTo(text, 100))
}

// nibble of a hexadecimal digit; over 15 when it is none.
func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// Derive gives the UUID (version 5) of a name within a space. Event ids derive
// from command ids, command ids of workers from work ids, so that doing a
// thing again gives it the same id.
func Derive(space UUID, name string) UUID {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(space[:])
	h.Write([]byte(name))
	var u UUID
	copy(u[:], h.Sum(nil))
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	return u
}

// EventID of the event at an index of a command's append.
func EventID(command UUID, index int) UUID { return Derive(command, strconv.Itoa(index)) }

// Metadata is what a record says beside the fact: who, why it came about, and
// by which software.
type Metadata struct {
	Installation  UUID // the CloudEvents source
	Command       UUID
	RequestID     string
	CorrelationID string
	CausationID   string // id of the event that a policy or worker reacts to
	OperationID   string // bulk operation that the command is part of
	TraceParent   string
	Actor         domain.Actor
	Initiator     domain.Actor // zero when the actor acts in its own name
	Approver      domain.Actor // zero when nobody had to approve of it
	Build         string       // "1.2.0+3f9c2ab"
}

// Coordinates of a record in the journal.
type Coordinates struct {
	Partition int
	Offset    int64 // from 1, gapless
	Version   int   // in the stream, from 1
	Time      time.Time
}

// Draft is a record without its coordinates.
type Draft struct {
	ID     UUID
	Type   string
	Stream string
	body   []byte // the JSON object after the coordinates, from the first comma
}

// Encode makes the draft of the event at an index of a command's append.
func Encode(meta Metadata, stream string, index int, event any) (Draft, error) {
	name, err := TypeOf(event)
	if err != nil {
		return Draft{}, err
	}
	data, err := json.Marshal(event)
	if err != nil {
		return Draft{}, fmt.Errorf("encode %s: %w", name, err)
	}
	if holdsNUL(data) {
		return Draft{}, domain.RefuseInvalid("", "text-invalid", "a text of %s on %s holds U+0000, which no view could take", name, stream)
	}
	d := Draft{ID: EventID(meta.Command, index), Type: name, Stream: stream}
	var b bytes.Buffer
	b.Grow(len(data) + 700)
	member := func(key, value string) {
		if value == "" {
			return
		}
		text, _ := json.Marshal(value) // a string always encodes
		b.WriteString(`,"` + key + `":`)
		b.Write(text)
	}
	member("specversion", "1.0")
	member("id", d.ID.String())
	member("source", "urn:uuid:"+meta.Installation.String())
	member("type", name)
	member("subject", stream)
	member("commandid", meta.Command.String())
	member("requestid", meta.RequestID)
	member("correlationid", meta.CorrelationID)
	member("causationid", meta.CausationID)
	member("operationid", meta.OperationID)
	member("traceparent", meta.TraceParent)
	actor(member, "actor", meta.Actor)
	actor(member, "initiator", meta.Initiator)
	actor(member, "approver", meta.Approver)
	member("build", meta.Build)
	member("datacontenttype", "application/json")
	b.WriteString(`,"data":`)
	b.Write(data)
	b.WriteByte('}')
	d.body = b.Bytes()
	if size := len(d.body) + prefixSize; size > MaxRecord {
		return Draft{}, domain.RefuseInvalid("", "record-too-large", "the record of %s on %s has %d bytes, %d at most", name, stream, size, MaxRecord)
	}
	return d, nil
}

// holdsNUL tells whether a text in encoded JSON holds the one character that a
// PostgreSQL text cannot: it is refused here, since it would stop every view.
func holdsNUL(data []byte) bool {
	for rest := data; ; {
		i := bytes.Index(rest, []byte(`\u0000`))
		if i < 0 {
			return false
		}
		backslashes := 0
		for i-backslashes > 0 && rest[i-backslashes-1] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 { // else a backslash that stands for itself
			return true
		}
		rest = rest[i+1:]
	}
}

func actor(member func(key, value string), prefix string, a domain.Actor) {
	member(prefix+"kind", string(a.Kind))
	member(prefix+"issuer", a.Issuer)
	member(prefix+"subject", a.Subject)
	member(prefix+"roles", strings.Join(a.Roles, ","))
}

// prefixSize bounds what Place puts in front.
const prefixSize = 160

// Place gives the record's bytes, with its coordinates spliced in.
func (d Draft) Place(c Coordinates) []byte {
	record := make([]byte, 0, prefixSize+len(d.body))
	record = append(record, `{"partition":`...)
	record = strconv.AppendInt(record, int64(c.Partition), 10)
	record = fmt.Appendf(record, `,"sequence":"%020d","streamversion":%d,"time":"`, c.Offset, c.Version)
	record = c.Time.UTC().AppendFormat(record, TimeFormat)
	record = append(record, '"')
	return append(record, d.body...)
}

// Size is the record's size in bytes, at most.
func (d Draft) Size() int { return prefixSize + len(d.body) }

// Record is a decoded record.
type Record struct {
	Coordinates
	ID       UUID
	Type     string
	Stream   string
	Metadata Metadata
	Event    any    // a value of one of the aggregates' event types
	Bytes    []byte // exactly as stored
}

// Decode reads a record and its event. It fails on a type that this version
// does not know.
func Decode(record []byte) (Record, error) {
	e, err := open(record)
	if err != nil {
		return Record{}, fmt.Errorf("record is not a CloudEvents JSON document: %w", err)
	}
	r, err := e.record()
	if err != nil {
		return Record{}, fmt.Errorf("record %s: %w", e.ID, err)
	}
	if r.Event, err = decode(e.Type, e.Data); err != nil {
		return Record{}, fmt.Errorf("record %d/%d: %w", r.Partition, r.Offset, err)
	}
	r.Bytes = record
	return r, nil
}

func (e envelope) record() (Record, error) {
	var r Record
	var err error
	r.Partition, r.Version, r.Time, r.Type, r.Stream = e.Partition, e.StreamVersion, e.Time, e.Type, e.Subject
	if r.Offset, err = strconv.ParseInt(e.Sequence, 10, 64); err != nil {
		return r, fmt.Errorf("sequence %q is not a number", e.Sequence)
	}
	if r.ID, err = ParseUUID(e.ID); err != nil {
		return r, err
	}
	r.Metadata = Metadata{
		RequestID: e.RequestID, CorrelationID: e.CorrelationID, CausationID: e.CausationID, OperationID: e.OperationID,
		TraceParent: e.TraceParent, Build: e.Build,
		Actor:     actorOf(e.ActorKind, e.ActorIssuer, e.ActorSubject, e.ActorRoles),
		Initiator: actorOf(e.InitiatorKind, e.InitiatorIssuer, e.InitiatorSubject, e.InitiatorRoles),
		Approver:  actorOf(e.ApproverKind, e.ApproverIssuer, e.ApproverSubject, e.ApproverRoles),
	}
	if r.Metadata.Installation, err = ParseUUID(strings.TrimPrefix(e.Source, "urn:uuid:")); err != nil {
		return r, err
	}
	r.Metadata.Command, err = ParseUUID(e.CommandID)
	return r, err
}

func actorOf(kind, issuer, subject, roles string) domain.Actor {
	a := domain.Actor{Kind: domain.ActorKind(kind), Issuer: issuer, Subject: subject}
	if roles != "" {
		a.Roles = strings.Split(roles, ",")
	}
	return a
}
