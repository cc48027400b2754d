package standardimaging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/source"
)

type rawConn = syscall.RawConn

// Source implements commands.Source for all plans of this kind.
type Source struct {
	mu      sync.Mutex
	clients map[string]*client // by plan; replaced when its settings change
}

// New makes one; it connects when it is first used.
func New() *Source { return &Source{clients: map[string]*client{}} }

func (s *Source) client(plan commands.Plan) *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[plan.ID]
	if c == nil || !sameSettings(c.settings, plan.Settings) {
		if c != nil {
			c.http.CloseIdleConnections()
		}
		c = newClient(plan.Settings)
		s.clients[plan.ID] = c
	}
	return c
}

func sameSettings(a, b source.Settings) bool {
	return fmt.Sprint(a) == fmt.Sprint(b)
}

// List implements commands.Source.
func (s *Source) List(ctx context.Context, plan commands.Plan, slice batch.Slice, page int) (commands.Page, error) {
	request := listRequest{
		BillTypes: slice.DocumentTypes, StartTime: slice.From, EndTime: slice.To,
		CurrentPage: page, PageSize: plan.Settings.PageSize,
	}
	if slice.Organization != "" {
		request.OrgNumbers = []string{slice.Organization}
	}
	answer, reqid, err := s.client(plan).call(ctx, plan, request)
	if err != nil {
		return commands.Page{}, err
	}
	items, err := toItems(plan, answer)
	if err != nil {
		return commands.Page{}, err
	}
	if answer.CurrentPage != 0 && answer.CurrentPage != page {
		return commands.Page{}, notAsAgreed(domain.StageList, fmt.Sprintf("page %d was asked for and page %d came", page, answer.CurrentPage))
	}
	return commands.Page{
		Items: items, Total: answer.TotalElement, Last: page >= pages(answer, plan.Settings.PageSize) || len(items) == 0,
		RequestID: reqid, TraceID: string(answer.TraceID),
	}, nil
}

// pages is the source's own number of pages, or follows from its total.
func pages(answer listAnswer, size int) int {
	if answer.TotalPage > 0 {
		return answer.TotalPage
	}
	return (answer.TotalElement + size - 1) / size
}

func toItems(plan commands.Plan, answer listAnswer) ([]commands.Item, error) {
	items := make([]commands.Item, len(answer.Data))
	for i, raw := range answer.Data {
		var err error
		if items[i], err = toItem(plan.ID, plan.Settings.HashAlgorithm, raw); err != nil {
			return nil, notAsAgreed(domain.StageList, err.Error())
		}
	}
	return items, nil
}

// rereadItems is how many items one request reads again.
const rereadItems = 100

// Reread implements commands.Source.
func (s *Source) Reread(ctx context.Context, plan commands.Plan, imageNumbers []string) ([]commands.Item, error) {
	var all []commands.Item
	for len(imageNumbers) > 0 {
		n := min(rereadItems, len(imageNumbers))
		for page := 1; ; page++ {
			answer, _, err := s.client(plan).call(ctx, plan, listRequest{ImageNumbers: imageNumbers[:n], CurrentPage: page, PageSize: rereadItems})
			if err != nil {
				return nil, atFetch(err)
			}
			items, err := toItems(plan, answer)
			if err != nil {
				return nil, atFetch(err)
			}
			all = append(all, items...)
			if page >= pages(answer, rereadItems) || len(items) == 0 {
				break
			}
		}
		imageNumbers = imageNumbers[n:]
	}
	return all, nil
}

// atFetch says that a data call was made to fetch, not to list.
func atFetch(err error) error {
	var failed *commands.SourceError
	if errors.As(err, &failed) {
		failed.Failure.Stage = domain.StageFetch
	}
	return err
}

// Download implements commands.Source. The body ends with an error when it is
// shorter than announced, or stalls.
func (s *Source) Download(ctx context.Context, plan commands.Plan, address string) (io.ReadCloser, error) {
	c := s.client(plan)
	release, err := c.slot(ctx, plan)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done := func() {
		cancel(nil)
		release()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		done()
		return nil, fail(domain.StageFetch, domain.Failure{
			Code: "url-invalid", Category: domain.SourceRejected, Detail: "the source gave no usable URL for the file", Remedy: remedySource,
		})
	}
	response, err := c.http.Do(r)
	if err != nil {
		defer done()
		return nil, unreachable(ctx, domain.StageFetch, err)
	}
	if response.StatusCode != http.StatusOK {
		defer done()
		defer func() { _ = response.Body.Close() }()
		return nil, refused(domain.StageFetch, response)
	}
	return &download{
		ctx: ctx, body: response.Body, done: done,
		stalled: time.AfterFunc(stallTimeout, func() { cancel(errStalled) }),
	}, nil
}

var errStalled = errors.New("no byte arrived in time")

type download struct {
	ctx     context.Context
	body    io.ReadCloser
	stalled *time.Timer
	done    func()
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.body.Read(p)
	d.stalled.Reset(stallTimeout)
	if err != nil && err != io.EOF {
		err = unreachable(d.ctx, domain.StageFetch, err)
	}
	return n, err
}

func (d *download) Close() error {
	d.stalled.Stop()
	defer d.done()
	return d.body.Close()
}
