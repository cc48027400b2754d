package cli

import (
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
