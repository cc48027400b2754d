package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// breaksOf tells what a consumer of the schema before would stumble over after.
// What may come within a version: members that are not required, and further
// values of an open enumeration. What may not: anything else. Descriptions are
// for people and may be bettered.
func breaksOf(before, after []byte) ([]string, error) {
	if after == nil {
		return []string{"the version has disappeared"}, nil
	}
	var c comparison
	if err := json.Unmarshal(before, &c.before); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(after, &c.after); err != nil {
		return nil, err
	}
	c.compare("", c.before, c.after)
	return c.breaks, nil
}

type comparison struct {
	before, after map[string]any
	breaks        []string
}

func (c *comparison) breaking(at, format string, arguments ...any) {
	if at == "" {
		at = "/"
	}
	c.breaks = append(c.breaks, at+": "+fmt.Sprintf(format, arguments...))
}

// texts are for people. Definitions are compared where they are referred to.
var texts = map[string]bool{"title": true, "description": true, "$comment": true, "examples": true, "$defs": true}

func (c *comparison) compare(at string, before, after map[string]any) {
	before, after = resolved(c.before, before), resolved(c.after, after)
	for _, keyword := range slices.Sorted(maps.Keys(joined(before, after))) {
		was, is := before[keyword], after[keyword]
		switch {
		case texts[keyword]:
		case keyword == "properties":
			c.members(at, object(was), object(is))
		case keyword == "required":
			c.required(at, list(was), list(is))
		case keyword == "x-extensible-enum":
			for _, value := range list(was) {
				if !slices.Contains(list(is), value) {
					c.breaking(at, "the value %v has disappeared", value)
				}
			}
		case object(was) != nil && object(is) != nil && keyword == "patternProperties":
			c.members(at, object(was), object(is))
		case object(was) != nil && object(is) != nil:
			c.compare(at+"/"+keyword, object(was), object(is))
		case keyword == "anyOf" && len(list(was)) == len(list(is)):
			for i, option := range list(was) {
				c.compare(at, object(option), object(list(is)[i]))
			}
		case !reflect.DeepEqual(was, is):
			c.breaking(at, "%s was %v and is %v", keyword, said(was), said(is))
		}
	}
}

func (c *comparison) members(at string, before, after map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(before)) {
		member, there := after[name]
		if !there {
			c.breaking(at+"/"+name, "it has disappeared")
			continue
		}
		c.compare(at+"/"+name, object(before[name]), object(member))
	}
}

// required: a member that was always there may not stay away, and one that
// old records lack may not be demanded.
func (c *comparison) required(at string, before, after []any) {
	for _, name := range before {
		if !slices.Contains(after, name) {
			c.breaking(fmt.Sprintf("%s/%v", at, name), "it was always there and may now be missing")
		}
	}
	for _, name := range after {
		if !slices.Contains(before, name) {
			c.breaking(fmt.Sprintf("%s/%v", at, name), "it is required now, and records lack it that were written before")
		}
	}
}

// resolved follows a reference into the document's own definitions.
func resolved(root, schema map[string]any) map[string]any {
	name, ok := schema["$ref"].(string)
	if !ok {
		return schema
	}
	target := maps.Clone(object(object(root["$defs"])[name[len("#/$defs/"):]]))
	for keyword, value := range schema {
		if keyword != "$ref" {
			target[keyword] = value
		}
	}
	return target
}

func joined(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return all
}

func object(v any) map[string]any { o, _ := v.(map[string]any); return o }

func list(v any) []any { l, _ := v.([]any); return l }

func said(v any) string {
	if v == nil {
		return "not there"
	}
	encoded, _ := json.Marshal(v) // it came from JSON
	return string(encoded)
}
