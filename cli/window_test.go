package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWindowsAreReadAsTheyAreShown(t *testing.T) {
	t.Parallel()
	read, err := readWindows([]string{"days=mon..wed+fri,from=08:30,to=18:00,concurrency=4,requests-per-second=2.5", "days=sat, from=22:00, to=04:00, closed", ""})
	require.NoError(t, err)
	require.Equal(t, []window{
		{Days: []string{"mon", "tue", "wed", "fri"}, From: "08:30", To: "18:00", Concurrency: 4, RequestsPerSecond: 2.5},
		{Days: []string{"sat"}, From: "22:00", To: "04:00", Closed: true},
	}, read)
	for _, w := range read {
		again, err := readWindow(w.String())
		require.NoError(t, err)
		require.Equal(t, w, again)
	}
	none, err := readWindows([]string{""})
	require.NoError(t, err)
	require.Equal(t, []window{}, none, "an empty one takes all away")
	for _, wrong := range []string{"days=monday", "days=fri..mon", "days=", "from", "speed=4", "concurrency=many", "mon,08:00"} {
		_, err := readWindows([]string{"to=18:00," + wrong})
		if wrong == "from" {
			require.NoError(t, err, "the server says what is missing")
			continue
		}
		require.ErrorContains(t, err, "--window", wrong)
	}
}
