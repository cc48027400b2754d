package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const module = "github.com/waybill-migration/waybill"

// record is the envelope, in the order in which it is written.
type record struct {
	Partition        int              `json:"partition" jsonschema:"minimum=0,maximum=16" jsonschema_description:"Journal partition: 0 has sources, batches and operations, 1 to 16 have documents and listings"`
	Sequence         string           `json:"sequence" jsonschema:"pattern=^[0-9]{20}$" jsonschema_description:"Offset in the partition, from 1 and without a gap, with leading zeros so that it orders as text"`
	StreamVersion    int              `json:"streamversion" jsonschema:"minimum=1" jsonschema_description:"Place in the stream, from 1 and without a gap"`
	Time             string           `json:"time" jsonschema:"format=date-time" jsonschema_description:"When it was written, UTC; it never goes back within a partition"`
	SpecVersion      string           `json:"specversion" jsonschema_description:"Of CloudEvents"`
	ID               string           `json:"id" jsonschema:"format=uuid" jsonschema_description:"Of this event, for ever"`
	Source           string           `json:"source" jsonschema:"format=uri" jsonschema_description:"The installation that wrote it, as urn:uuid"`
	Type             string           `json:"type" jsonschema_description:"Name of the event, with its version"`
	Subject          string           `json:"subject" jsonschema:"minLength=1" jsonschema_description:"The stream, such as batch-B20250301-080000-ABCDE; in Kafka the key"`
	CommandID        string           `json:"commandid" jsonschema:"format=uuid" jsonschema_description:"The command that caused it; events of one command are committed together"`
	RequestID        string           `json:"requestid,omitempty" jsonschema_description:"The HTTP request, as in the log"`
	CorrelationID    string           `json:"correlationid,omitempty" jsonschema_description:"What the caller joins several requests by"`
	CausationID      string           `json:"causationid,omitempty" jsonschema_description:"Id of the event that a worker or policy reacted to"`
	OperationID      string           `json:"operationid,omitempty" jsonschema_description:"The bulk operation that it is part of"`
	TraceParent      string           `json:"traceparent,omitempty" jsonschema_description:"W3C Trace Context"`
	ActorKind        domain.ActorKind `json:"actorkind" jsonschema_description:"Whether a person did it or a part of Waybill"`
	ActorIssuer      string           `json:"actorissuer,omitempty" jsonschema_description:"Who vouches for the subject"`
	ActorSubject     string           `json:"actorsubject,omitempty" jsonschema_description:"Who did it, as a subject id"`
	ActorRoles       string           `json:"actorroles,omitempty" jsonschema_description:"Comma-separated"`
	InitiatorKind    domain.ActorKind `json:"initiatorkind,omitempty" jsonschema_description:"Of the person in whose name a worker or policy acted"`
	InitiatorIssuer  string           `json:"initiatorissuer,omitempty" jsonschema_description:"Who vouches for that person"`
	InitiatorSubject string           `json:"initiatorsubject,omitempty" jsonschema_description:"That person, as a subject id"`
	InitiatorRoles   string           `json:"initiatorroles,omitempty" jsonschema_description:"Comma-separated"`
	ApproverKind     domain.ActorKind `json:"approverkind,omitempty" jsonschema_description:"Of the second operator, who approved of it; absent when it took none"`
	ApproverIssuer   string           `json:"approverissuer,omitempty" jsonschema_description:"Who vouches for the second operator"`
	ApproverSubject  string           `json:"approversubject,omitempty" jsonschema_description:"The second operator, as a subject id"`
	ApproverRoles    string           `json:"approverroles,omitempty" jsonschema_description:"Comma-separated"`
	Build            string           `json:"build,omitempty" jsonschema_description:"Version and commit of the software that wrote it"`
	DataContentType  string           `json:"datacontenttype" jsonschema_description:"Of data"`
}

// reflector makes schemas of Go types, with the texts of their comments and
// the values of their constants.
type reflector struct {
	jsonschema.Reflector
	constants map[string][]any        // values by qualified type
	types     map[string]reflect.Type // by the name that they have in $defs
	clash     error
}

func newReflector() (*reflector, error) {
	r := &reflector{types: map[string]reflect.Type{}}
	r.Anonymous, r.ExpandedStruct, r.AllowAdditionalProperties = true, true, true
	r.Namer, r.Mapper, r.LookupComment = r.name, r.enumeration, r.commentOfOld
	if err := r.AddGoComments(module+"/contract/generate", "../../domain", jsonschema.WithFullComment()); err != nil {
		return nil, err
	}
	for name, text := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(text), " ")
	}
	var err error
	r.constants, err = constants("../../domain", module+"/domain")
	return r, err
}

// name of a type in $defs. Two types of one name would overwrite each other.
func (r *reflector) name(t reflect.Type) string {
	if t.Name() == "" {
		return ""
	}
	if other, taken := r.types[t.Name()]; taken && other != t {
		r.clash = fmt.Errorf("%s and %s have one name in a schema", other, t)
	}
	r.types[t.Name()] = t
	return t.Name()
}

// enumeration lists the values that are known today and allows others:
// within a version more may come.
func (r *reflector) enumeration(t reflect.Type) *jsonschema.Schema {
	values := r.constants[t.PkgPath()+"."+t.Name()]
	if t.Kind() != reflect.String || len(values) == 0 {
		return nil
	}
	return &jsonschema.Schema{Type: "string", Extras: map[string]any{"x-extensible-enum": values}}
}

// commentOfOld reads a frozen shape's fields as those of the newest shape.
func (r *reflector) commentOfOld(t reflect.Type, field string) string {
	for _, name := range wire.Types() {
		if wire.Shape(name) == t && t != newest(name) {
			return r.CommentMap[newest(name).PkgPath()+"."+newest(name).Name()+"."+field]
		}
	}
	return ""
}

// versionOf a persisted name, and the name without it.
func versionOf(name string) (event string, version int) {
	i := strings.LastIndex(name, ".v")
	version, _ = strconv.Atoi(name[i+2:]) // names are checked in domain/wire
	return name[:i], version
}

// newestName of the event that a persisted name is of.
func newestName(name string) string {
	event, version := versionOf(name)
	for ; wire.Shape(event+".v"+strconv.Itoa(version+1)) != nil; version++ {
	}
	return event + ".v" + strconv.Itoa(version)
}

func newest(name string) reflect.Type { return wire.Shape(newestName(name)) }

// schemas of all versions of all events, by path.
func (r *reflector) schemas() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range wire.Types() {
		encoded, err := json.Marshal(r.schema(name))
		if err != nil {
			return nil, err
		}
		if files["schemas/"+name+".json"], err = indented(encoded); err != nil {
			return nil, err
		}
	}
	return files, r.clash
}

// schema of a whole record of a persisted name.
func (r *reflector) schema(name string) *jsonschema.Schema {
	clear(r.types)
	data := r.ReflectFromType(wire.Shape(name))
	r.allowNull(data, wire.Shape(name))
	for of, definition := range data.Definitions {
		r.allowNull(definition, r.types[of])
	}
	s := r.ReflectFromType(reflect.TypeFor[record]())
	s.ID = jsonschema.ID("https://" + module + "/schemas/" + name + ".json")
	s.Title = name
	s.Description = r.CommentMap[newest(name).PkgPath()+"."+newest(name).Name()]
	if name != newestName(name) {
		s.Description += " This version is no longer written; what was written stays."
	}
	for member, value := range map[string]string{"specversion": "1.0", "type": name, "datacontenttype": "application/json"} {
		property, _ := s.Properties.Get(member)
		property.Const = value
	}
	s.Definitions = data.Definitions
	data.Definitions, data.Version, data.Description = nil, "", "What happened"
	s.Properties.Set("data", data)
	s.Required = append(s.Required, "data")
	return s
}

// allowNull: a list or map that is always written is null when it is empty.
func (r *reflector) allowNull(s *jsonschema.Schema, t reflect.Type) {
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if f.Anonymous && tag == "" {
			r.allowNull(s, f.Type)
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		property, found := s.Properties.Get(name)
		if found && options == "" && (f.Type.Kind() == reflect.Slice || f.Type.Kind() == reflect.Map) {
			description := property.Description
			property.Description = ""
			s.Properties.Set(name, &jsonschema.Schema{Description: description, AnyOf: []*jsonschema.Schema{property, {Type: "null"}}})
		}
	}
}

// event of the index.
type event struct {
	Type    string `json:"type"`
	Version int    `json:"version"`
	Newest  bool   `json:"newest"` // the one that is written
	Schema  string `json:"schema"`
	Mapping string `json:"mapping,omitempty"` // to the next version
}

// index of what there is.
func index(mappings []string) ([]byte, error) {
	var events []event
	for _, name := range wire.Types() {
		_, version := versionOf(name)
		e := event{Type: name, Version: version, Newest: name == newestName(name), Schema: "/schemas/" + name + ".json"}
		for _, path := range mappings {
			if strings.HasPrefix(path, "schemas/mappings/"+name+"-to-") {
				e.Mapping = "/" + path
			}
		}
		events = append(events, e)
	}
	encoded, err := json.Marshal(map[string]any{"events": events})
	if err != nil {
		return nil, err
	}
	return indented(encoded)
}

func indented(encoded []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, encoded, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
