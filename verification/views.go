package verification

import (
	"context"
	"strings"
)

// compareViews holds the views against a replay of the history.
func (r *run) compareViews(ctx context.Context) {
	if r.Views == nil {
		r.views.skip("the views were not compared with a replay")
		return
	}
	compared, err := r.Views.Compare(ctx, func(stage string, done, total int64) { r.tell("views: "+stage, done, total) })
	r.views.fail(err)
	var names []string
	for _, v := range compared {
		r.views.count(v.Rows)
		r.views.wrongBeside(v.Different - int64(len(v.Differences)))
		names = append(names, v.View)
	}
	if len(names) > 0 {
		r.views.note = strings.Join(names, ", ")
	}
	// The first of each view before the second of any.
	for i := range maxFindings {
		for _, v := range compared {
			if i < len(v.Differences) {
				d := v.Differences[i]
				r.views.wrongAt(strings.TrimSpace(d.Table+" "+d.Key), "view %s: it is %s, and the history says %s", v.View, orNone(d.Live), orNone(d.Replayed))
			}
		}
	}
}

func orNone(row string) string {
	if row == "" {
		return "not there"
	}
	return row
}
