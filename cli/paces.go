package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// sourcePace is how fast a process reads a source now.
type sourcePace struct {
	Process                        string
	Concurrency, Requests, Waiting int64
	RestUntil                      *time.Time
	Rest                           struct{ Code, Detail string }
}

func sourcePaces(k *connection) *cobra.Command {
	c := &cobra.Command{
		Use: "paces SOURCE", Short: "How fast each process that works reads a source now, or until when it leaves it alone and why",
		Args: takes(1), ValidArgsFunction: k.first(sourceIDs),
	}
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return onePage(ctx, s, pathOf("sources", args[0], "paces"), newTable(s.out, titlesOf(paceColumns)...), paceColumns)
	})
}

var paceColumns = []column[sourcePace]{
	{"PROCESS", func(p sourcePace) string { return p.Process }},
	{"AT ONCE", func(p sourcePace) string { return strconv.FormatInt(p.Concurrency, 10) }},
	{"UNDER WAY", func(p sourcePace) string { return strconv.FormatInt(p.Requests, 10) }},
	{"WAITING", func(p sourcePace) string { return strconv.FormatInt(p.Waiting, 10) }},
	{"RESTS UNTIL", func(p sourcePace) string {
		if p.RestUntil == nil {
			return ""
		}
		return moment(*p.RestUntil)
	}},
	{"WHY", func(p sourcePace) string { return p.Rest.Detail }},
}
