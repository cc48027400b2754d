package standardimaging

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// toleratedSkew of the source's clock: signatures carry the time.
const toleratedSkew = time.Minute

// clock is the service's, as its last answer told it.
type clock struct {
	mu   sync.Mutex
	date string
	at   time.Time
}

func (c *clock) saw(r *http.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.date, c.at = r.Header.Get("Date"), time.Now()
}

// skew is how far it is ahead of this machine's; a service need not tell.
func (c *clock) skew() (skew time.Duration, told bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	date, err := http.ParseTime(c.date)
	return date.Sub(c.at), err == nil
}

// explain says of a refused signature that it is the clocks which differ, if
// they do.
func (c *clock) explain(err error) error {
	var failed *commands.SourceError
	skew, told := c.skew()
	if !told || skew.Abs() <= toleratedSkew || !errors.As(err, &failed) || failed.Failure.Category != domain.SourceAuth {
		return err
	}
	which := "ahead of"
	if skew < 0 {
		which = "behind"
	}
	f := &failed.Failure
	f.Detail = domain.TruncateTo(f.Detail, 400) + fmt.Sprintf("; the source's clock is %s %s this machine's", skew.Abs().Round(time.Second), which)
	f.Remedy = "Set this machine's clock and the source's by NTP: signatures carry the time. Then retry. " + remedyAuth
	return err
}
