package cli

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestColumnsAreAlignedByTerminalCells(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	table := newTable(&out, "ID", "NAME", "STATUS")
	table.add("a", "标准版影像", "enabled")
	table.add("longer-id", "", "disabled")
	require.NoError(t, table.flush())
	table.add("b", "旗舰版", "enabled")
	table.add("c", "a name longer than all before", "enabled")
	require.NoError(t, table.flush())
	require.Equal(t, `ID         NAME        STATUS
a          标准版影像  enabled
longer-id  -           disabled
b          旗舰版                         enabled
c          a name longer than all before  enabled
`, out.String(), "a Chinese character takes two cells; later pages keep the columns or widen them; titles come once")
}

func TestAnEmptyListHasItsTitles(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, newTable(&out, "ID", "NAME").flush())
	require.Equal(t, "ID  NAME\n", out.String())
}

func TestNothingSteersTheTerminal(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	table := newTable(&out, "NAME")
	table.add("a\x1b[2Jb\r\nc\u202ed\u200be\u009bf　g")
	require.NoError(t, table.flush())
	require.Equal(t, "NAME\na\ufffd[2Jb\ufffd\ufffdc\ufffdd\ufffde\ufffdf　g\n", out.String())
	var lines facts
	lines.add("name", "x\x1b]0;y\a")
	lines.add("nothing", "")
	out.Reset()
	require.NoError(t, lines.print(&out))
	require.Equal(t, "name  x\ufffd]0;y\ufffd\n", out.String())
}

func TestACSVThatSpreadsheetsReadAsText(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	table := newCSV(&out)
	page := func(reasons ...string) (items []json.RawMessage) {
		for _, reason := range reasons {
			item, err := json.Marshal(map[string]any{"time": "2026-01-31T08:00:00.5Z", "operator": "alice", "offset": 7, "reason": reason})
			require.NoError(t, err)
			items = append(items, item)
		}
		return items
	}
	dangerous := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"}
	harmless := []string{"", "1=1", "存储已恢复, \"全部\"\n第二行", "'=quoted"}
	require.NoError(t, table.page(page(dangerous...)))
	require.NoError(t, table.page(page(harmless...)))

	text, marked := strings.CutPrefix(out.String(), "\ufeff")
	require.True(t, marked, "Excel takes it as UTF-8")
	require.Equal(t, 1, strings.Count(out.String(), "\ufeff"))
	require.Contains(t, text, "offset\r\n", "RFC 4180")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1+len(dangerous)+len(harmless))
	require.Equal(t, titlesOf(csvColumns), rows[0])
	at := func(row []string) string { return row[10] }
	require.Equal(t, "reason", at(rows[0]))
	for i, reason := range dangerous {
		require.Equal(t, "'"+strings.ReplaceAll(reason, "\r", ""), at(rows[1+i]), "a lone CR is no part of a CSV")
	}
	for i, reason := range harmless {
		require.Equal(t, reason, at(rows[1+len(dangerous)+i]))
	}
	require.Equal(t, []string{"2026-01-31T08:00:00.5Z", "alice"}, rows[1][:2])
}
