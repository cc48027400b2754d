package standardimaging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
)

// Source implements commands.Source for all plans of this kind.
type Source struct {
	secrets  Secrets
	timeouts timeouts

	mu      sync.Mutex
	clients map[string]*client // by plan; replaced when it connects to others, or as another
}

// Secrets finds the secret that a reference names. It is asked at each token
// request, so that a secret that was rotated is taken without a restart. Its
// errors hold nothing secret: they are recorded.
type Secrets func(ctx context.Context, reference string) (string, error)

// New makes one; it connects when it is first used.
func New(secrets Secrets) *Source {
	return &Source{secrets: secrets, timeouts: usualTimeouts, clients: map[string]*client{}}
}

// client of a plan. Workers know a plan's changes one after the other: one that
// is older than what is known gets the present client too.
func (s *Source) client(plan commands.Plan) *client {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[plan.ID]
	if c != nil && (plan.Version < c.pace.version() || c.serves(plan.Settings)) {
		c.pace.follow(plan)
		return c
	}
	if c != nil {
		c.http.CloseIdleConnections()
	}
	c = newClient(plan, s.secrets, s.timeouts)
	s.clients[plan.ID] = c
	return c
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
	answer, items, reqid, err := s.page(ctx, plan, request)
	if err != nil {
		return commands.Page{}, err
	}
	return commands.Page{
		Items: items, Total: int(*answer.TotalElement), Last: page >= pages(answer, request.PageSize) || len(items) == 0,
		RequestID: reqid, TraceID: string(answer.TraceID),
	}, nil
}

// page asks for a page, and checks that the answer is one.
func (s *Source) page(ctx context.Context, plan commands.Plan, request listRequest) (listAnswer, []commands.Item, string, error) {
	answer, reqid, err := s.client(plan).call(ctx, plan, request)
	if err != nil {
		return listAnswer{}, nil, reqid, err
	}
	items, err := toItems(plan, answer)
	var wrong string
	switch {
	case err != nil:
		wrong = err.Error()
	case answer.TotalElement == nil || *answer.TotalElement < 0:
		wrong = "the source's answer has no totalElement"
	case answer.CurrentPage != 0 && int(answer.CurrentPage) != request.CurrentPage:
		wrong = fmt.Sprintf("page %d was asked for and page %d came", request.CurrentPage, answer.CurrentPage)
	default:
		return answer, items, reqid, nil
	}
	failed := notAsAgreed(domain.StageList, wrong)
	failed.Failure.RequestID, failed.Failure.TraceID = reqid, string(answer.TraceID)
	return answer, nil, reqid, failed
}

// pages is the source's own number of pages, or follows from its total.
func pages(answer listAnswer, size int) int {
	if answer.TotalPage > 0 {
		return int(answer.TotalPage)
	}
	return (int(*answer.TotalElement) + size - 1) / size
}

func toItems(plan commands.Plan, answer listAnswer) ([]commands.Item, error) {
	items := make([]commands.Item, len(answer.Data))
	for i, raw := range answer.Data {
		var err error
		if items[i], err = toItem(plan.ID, plan.Settings.HashAlgorithm, raw); err != nil {
			return nil, err
		}
	}
	return items, nil
}

const (
	rereadItems = 100 // that one request reads again
	// rereadPages of its answer at most: an image number may stand for several
	// items, of several resources, but a source must not go on for ever.
	rereadPages = 10
)

// Reread implements commands.Source.
func (s *Source) Reread(ctx context.Context, plan commands.Plan, imageNumbers []string) ([]commands.Item, error) {
	var all []commands.Item
	for some := range slices.Chunk(imageNumbers, rereadItems) {
		items, err := s.reread(ctx, plan, some)
		if err != nil {
			return nil, atFetch(err)
		}
		all = append(all, items...)
	}
	return all, nil
}

func (s *Source) reread(ctx context.Context, plan commands.Plan, imageNumbers []string) ([]commands.Item, error) {
	var all []commands.Item
	for page := 1; page <= rereadPages; page++ {
		answer, items, _, err := s.page(ctx, plan, listRequest{ImageNumbers: imageNumbers, CurrentPage: page, PageSize: rereadItems})
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if page >= pages(answer, rereadItems) || len(items) == 0 {
			return all, nil
		}
	}
	return nil, notAsAgreed(domain.StageList, fmt.Sprintf("the source answered %d image numbers with more than %d pages", len(imageNumbers), rereadPages))
}

// atFetch says that a data call was made to fetch, not to list. It copies: a
// failed token request is shared, and so is a rest.
func atFetch(err error) error {
	var failed *commands.SourceError
	var rest *commands.NotNow
	switch {
	case errors.As(err, &failed):
		fetching := *failed
		fetching.Failure.Stage = domain.StageFetch
		return &fetching
	case errors.As(err, &rest):
		fetching := *rest
		fetching.Failure.Stage = domain.StageFetch
		return &fetching
	}
	return err
}
