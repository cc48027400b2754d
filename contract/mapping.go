package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Mapping says how the data of an event of a version is read as the next one.
// It is data, so that consumers without Go can do the same.
//
// Steps are done in order. A path names members from the data down, with * for
// each item of a list; where a path leads nowhere the step does nothing.
//
//	{"op": "wrap", "path": "/a/*", "member": "m"}      x becomes {"m": x}
//	{"op": "default", "path": "/a/*/m", "value": v}    a missing m gets v
//	{"op": "rename", "path": "/a/m", "member": "n"}    m is called n
type Mapping struct {
	From        string    `json:"from"`
	To          string    `json:"to"`
	Description string    `json:"description"`
	Steps       []Step    `json:"steps"`
	Fixtures    []Fixture `json:"fixtures"`
}

// Step of a mapping.
type Step struct {
	Op     string `json:"op"`
	Path   string `json:"path"`
	Member string `json:"member,omitempty"`
	Value  any    `json:"value,omitempty"`
}

// Fixture is an example that every interpreter can be tried on.
type Fixture struct {
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// Mappings are those that are published, by the version that they begin at.
type Mappings map[string]Mapping

// LoadMappings reads the published mappings.
func LoadMappings() (Mappings, error) {
	paths, err := fs.Glob(Files, "schemas/mappings/*.json")
	if err != nil {
		return nil, err
	}
	mappings := Mappings{}
	for _, path := range paths {
		content, err := Files.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var m Mapping
		decoder := json.NewDecoder(bytes.NewReader(content))
		decoder.DisallowUnknownFields()
		if err := errors.Join(decoder.Decode(&m), m.valid()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		mappings[m.From] = m
	}
	return mappings, nil
}

// Latest gives a record as the newest version of its event: its type and data
// are mapped, mappedfrom says which type was written, and all else is as it
// was. A record of the newest version is given back as it is, byte for byte.
func (m Mappings) Latest(record []byte, name string) ([]byte, error) {
	if _, old := m[name]; !old {
		return record, nil
	}
	head, tail, found := bytes.Cut(record, []byte(`,"data":`))
	if !found || !bytes.HasSuffix(tail, []byte("}")) {
		return nil, errors.New("the record's data is not its last member")
	}
	decoder := json.NewDecoder(bytes.NewReader(tail[:len(tail)-1]))
	decoder.UseNumber() // a number stays as it was written
	var data any
	if err := decoder.Decode(&data); err != nil {
		return nil, fmt.Errorf("the record's data: %w", err)
	}
	newest := name
	for mapping, old := m[newest]; old; mapping, old = m[newest] {
		data, newest = mapping.Apply(data), mapping.To
	}
	var out bytes.Buffer
	out.Write(bytes.Replace(head, []byte(`,"type":"`+name+`"`), []byte(`,"type":"`+newest+`"`), 1))
	out.WriteString(`,"mappedfrom":"` + name + `","data":`)
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(data); err != nil {
		return nil, err
	}
	return append(bytes.TrimRight(out.Bytes(), "\n"), '}'), nil
}

// Apply maps the data of an event, as encoding/json decodes it.
func (m Mapping) Apply(data any) any {
	for _, step := range m.Steps {
		data = step.at(strings.Split(step.Path, "/")[1:], data)
	}
	return data
}

// valid refuses what no interpreter would know.
func (m Mapping) valid() error {
	if following, ok := next(m.From); !ok || m.To != following {
		return fmt.Errorf("a mapping leads from a version to the next, not from %s to %s", m.From, m.To)
	}
	for _, s := range m.Steps {
		last := s.Path[strings.LastIndex(s.Path, "/")+1:]
		switch {
		case s.Op != "wrap" && s.Op != "default" && s.Op != "rename":
			return fmt.Errorf("%q is not a step; wrap, default and rename are", s.Op)
		case !strings.HasPrefix(s.Path, "/") || last == "" || last == "*" && s.Op != "wrap":
			return fmt.Errorf("%q is not a path to a member", s.Path)
		case (s.Op == "default") != (s.Member == ""):
			return fmt.Errorf("the step %s at %s: wrap and rename name a member, default does not", s.Op, s.Path)
		}
	}
	return nil
}

// at goes down the path and does the step at its end.
func (s Step) at(path []string, value any) any {
	if len(path) == 0 {
		return map[string]any{s.Member: value}
	}
	switch v := value.(type) {
	case []any:
		if path[0] == "*" {
			for i, item := range v {
				v[i] = s.at(path[1:], item)
			}
		}
	case map[string]any:
		s.on(v, path)
	}
	return value
}

// on does the step on the members of an object, or further down.
func (s Step) on(members map[string]any, path []string) {
	name := path[0]
	member, there := members[name]
	switch {
	case len(path) == 1 && s.Op == "default":
		if !there {
			members[name] = s.Value
		}
	case !there:
	case len(path) == 1 && s.Op == "rename":
		delete(members, name)
		members[s.Member] = member
	default:
		members[name] = s.at(path[1:], member)
	}
}
