package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// sighting is what a view showed of a source to a client that asked for it as
// of a position that it was answered, or later.
type sighting struct {
	source  string
	after   int // the version that the position is of
	Version int
	Name    string
	Status  string
}

// see looks whether the view shows what was done. That it is late is no fault.
func (g *registrars) see(ctx context.Context, id string, done outcome) {
	s := sighting{source: id, after: done.Version}
	path := "/v1/sources/" + id + "?after=" + done.Position
	if g.api.once(ctx, request{method: http.MethodGet, path: path}, &s) != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sightings = append(g.sightings, s)
}

// seeAll insists on a last look at each source, after all that the journal has
// of it: a run of busy servers may have had no other.
func (g *registrars) seeAll(ctx context.Context, journal map[string][]wire.Record) error {
	for _, id := range registrarSources {
		stream := journal[domain.SourceStream(id)]
		last := stream[len(stream)-1]
		s := sighting{source: id, after: last.Version}
		at := wire.Position{last.Partition: last.Offset}
		if err := g.api.get(ctx, "/v1/sources/"+id+"?after="+at.String(), &s); err != nil {
			return err
		}
		g.sightings = append(g.sightings, s)
	}
	return nil
}

// check fails unless the view showed the source as it was at one of its
// versions, and no earlier one than was asked for.
func (s sighting) check(stream []entry) error {
	if s.Version < s.after || s.Version > len(stream) {
		return fmt.Errorf("after version %d of %s its view showed %d of %d", s.after, s.source, s.Version, len(stream))
	}
	stream = stream[:s.Version]
	name, status := s.source, "disabled"
	for _, e := range stream {
		if e.verb == renaming {
			name = e.key
		}
	}
	if enabled(stream) {
		status = "enabled"
	}
	if s.Name != name || s.Status != status {
		return fmt.Errorf("version %d of %s is %s and %s, its view showed %s and %s", s.Version, s.source, name, status, s.Name, s.Status)
	}
	return nil
}
