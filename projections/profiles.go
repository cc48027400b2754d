package projections

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Every version of every profile has a row: outcomes name them for years. The
// versions 0 of those that are built in are the build's, and have none.
var profilesView = View{Name: "profiles", Tables: map[string]string{"profiles": ""}, Schema: `
CREATE TABLE IF NOT EXISTS profiles (
	name       text        NOT NULL,
	version    integer     NOT NULL,
	settings   jsonb       NOT NULL,
	reason     text        NOT NULL,
	changed_at timestamptz NOT NULL,
	changed_by text        NOT NULL,
	PRIMARY KEY (name, version)
)`, Apply: applyProfiles}

// applyProfiles writes event by event: a profile changes a few times a year.
func applyProfiles(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	batch := &pgx.Batch{}
	for _, r := range events {
		e, ok := r.Event.(profile.Event)
		if !ok {
			continue
		}
		name, err := domain.ParseProfileStream(r.Stream)
		if err != nil {
			return err
		}
		batch.Queue(`INSERT INTO profiles (name, version, settings, reason, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6)`,
			name, r.Version, e.GetSettings(), e.GetReason(), r.Time, r.Metadata.Actor.Subject)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Profile in one of its versions.
type Profile struct {
	Name      string
	BuiltIn   bool
	Version   int
	Settings  profile.Settings
	Reason    string
	ChangedAt time.Time // zero: it is as it is built in
	ChangedBy string
}

const profileColumns = `name, version, settings, reason, changed_at, changed_by`

// Profiles as they are, in order of name.
func Profiles(ctx context.Context, q Querier) ([]Profile, error) {
	rows, err := q.Query(ctx, `SELECT DISTINCT ON (name) `+profileColumns+` FROM profiles ORDER BY name, version DESC`)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanProfile)
	for name := range profile.BuiltIn() {
		if !slices.ContainsFunc(found, func(p Profile) bool { return p.Name == name }) {
			found = append(found, builtIn(name))
		}
	}
	slices.SortFunc(found, func(a, b Profile) int { return strings.Compare(a.Name, b.Name) })
	return found, err
}

// FindProfile as it is; a *domain.Refusal when there is none.
func FindProfile(ctx context.Context, q Querier, name string) (Profile, error) {
	versions, err := ProfileVersions(ctx, q, name, 0, 1)
	if err != nil {
		return Profile{}, err
	}
	return versions[0], nil
}

// ProfileVersions gives a profile's versions, the newest first, before one when
// it is not 0; a *domain.Refusal when there is no such profile.
func ProfileVersions(ctx context.Context, q Querier, name string, before, limit int) ([]Profile, error) {
	rows, err := q.Query(ctx, `SELECT `+profileColumns+` FROM profiles WHERE name = $1 AND ($2 = 0 OR version < $2) ORDER BY version DESC LIMIT $3`, name, before, limit)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanProfile)
	if _, ok := profile.BuiltIn()[name]; ok && len(found) < limit {
		found = append(found, builtIn(name))
	}
	if err == nil && len(found) == 0 && before == 0 {
		err = domain.RefuseNotFound("profile", domain.TruncateTo(name, 100))
	}
	return found, err
}

func builtIn(name string) Profile {
	return Profile{Name: name, BuiltIn: true, Settings: profile.BuiltIn()[name]}
}

func scanProfile(row pgx.CollectableRow) (Profile, error) {
	var p Profile
	var settings []byte
	if err := row.Scan(&p.Name, &p.Version, &settings, &p.Reason, &p.ChangedAt, &p.ChangedBy); err != nil {
		return p, err
	}
	_, p.BuiltIn = profile.BuiltIn()[p.Name]
	return p, json.Unmarshal(settings, &p.Settings)
}
