package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

// profile as the API tells it.
type profile struct {
	Name, Description, Target string
	BuiltIn                   bool
	Version, MinDPI, MaxBytes int64
	Types, ToleratedTypes     []string
}

func profileCommands(k *connection) []*cobra.Command {
	var f filters
	c := &cobra.Command{Use: "list", Short: "All target profiles", Args: takes(0)}
	position(c, &f)
	columns := []column[profile]{
		{"NAME", func(p profile) string { return p.Name }},
		{"VERSION", func(p profile) string { return count(p.Version) }},
		{"TARGET", func(p profile) string { return p.Target }},
		{"MIN DPI", func(p profile) string { return count(p.MinDPI) }},
		{"MAX BYTES", func(p profile) string { return count(p.MaxBytes) }},
		{"TYPES", func(p profile) string { return strings.Join(p.Types, ",") }},
		{"TOLERATED", func(p profile) string { return strings.Join(p.ToleratedTypes, ",") }},
		{"DESCRIPTION", func(p profile) string { return p.Description }},
	}
	return []*cobra.Command{k.command(c, func(ctx context.Context, s *session, _ []string) error {
		return onePage(ctx, s, withQuery(pathOf("profiles"), f.query()), newTable(s.out, titlesOf(columns)...), columns)
	})}
}

// rule as the API tells it.
type rule struct {
	ID       string
	Title    struct{ En, Zh string }
	Findings []struct {
		Code, Category string
		Severities     []struct{ Profile, Severity string }
	}
}

func ruleCommands(k *connection) []*cobra.Command {
	var f filters
	c := &cobra.Command{
		Use: "list", Short: "The validation rules, each finding with its severity under every profile, or under one", Args: takes(0),
	}
	f.add(c, "profile", "profile", "only as this profile has them")
	k.completeFlag(c, "profile", profileNames)
	position(c, &f)
	return []*cobra.Command{k.command(c, func(ctx context.Context, s *session, _ []string) error {
		var found struct{ Items []rule }
		return s.read(ctx, withQuery(pathOf("rules"), f.query()), &found, func() error {
			t := newTable(s.out, "RULE", "FINDING", "CATEGORY", "SEVERITY", "TITLE", "名称")
			for _, r := range found.Items {
				r.addTo(t)
			}
			return t.flush()
		})
	})}
}

func (r rule) addTo(t *table) {
	if len(r.Findings) == 0 { // it exempts from others
		t.add(r.ID, "", "", "", r.Title.En, r.Title.Zh)
	}
	for _, f := range r.Findings {
		var severities []string
		for _, s := range f.Severities {
			severities = append(severities, s.Profile+": "+s.Severity)
		}
		t.add(r.ID, f.Code, f.Category, strings.Join(severities, ", "), r.Title.En, r.Title.Zh)
	}
}
