package rest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/projections"
)

// Deliveries is the log of what webhooks were sent.
type Deliveries interface {
	// Log gives deliveries of a webhook, the latest first; of any status, and
	// from the latest on, when those are not given.
	Log(ctx context.Context, webhook string, status deliveries.Status, before int64, limit int) ([]deliveries.Entry, error)
	FindDelivery(ctx context.Context, id deliveries.ID) (deliveries.Entry, error)
}

// Delivery of an event to a webhook.
type Delivery struct {
	ID           string            `json:"id" example:"7:123" doc:"Partition and offset of the event"`
	EventID      string            `json:"eventId" doc:"As webhook-id has it"`
	Type         string            `json:"type" example:"waybill.batch.finished.v1"`
	Lane         string            `json:"lane" doc:"Number of the batch, or else the stream, of which one is sent after the other"`
	Status       deliveries.Status `json:"status" enum:"pending,delivered,failed,withdrawn" doc:"withdrawn: the webhook's settings no longer ask for it"`
	Attempts     int               `json:"attempts"`
	PlacedAt     time.Time         `json:"placedAt"`
	LastAttempt  *time.Time        `json:"lastAttempt,omitempty"`
	NextAttempt  *time.Time        `json:"nextAttempt,omitempty" doc:"Not before; absent as well while it waits for those of its lane ahead of it"`
	HTTPStatus   int               `json:"httpStatus,omitempty" doc:"Of the last attempt; absent when there was no answer"`
	Milliseconds int64             `json:"milliseconds,omitempty" doc:"How long the last attempt took"`
	Error        string            `json:"error,omitempty" doc:"Of the last attempt"`
}

func deliveryOf(e deliveries.Entry) Delivery {
	return Delivery{
		ID: e.String(), EventID: e.EventID.String(), Type: e.Type, Lane: e.Lane, Status: e.Status, Attempts: e.Attempts, PlacedAt: e.PlacedAt,
		LastAttempt: e.Last, NextAttempt: e.Next, HTTPStatus: e.HTTPStatus, Milliseconds: e.Took.Milliseconds(), Error: e.Error,
	}
}

// DeliveryID is the part of inputs that name a delivery.
type DeliveryID struct {
	WebhookID
	Delivery string `path:"delivery" maxLength:"30" example:"7:123" doc:"Id of the delivery"`
}

func (d DeliveryID) parse() (deliveries.ID, error) { return deliveries.ParseID(d.ID, d.Delivery) }

func deliveryPath(webhook, delivery string) string {
	return "/v1/webhooks/" + url.PathEscape(webhook) + "/deliveries/" + url.PathEscape(delivery)
}

func (s *server) registerDeliveries(tag string) {
	const path, one = oneWebhook + "/deliveries", oneWebhook + "/deliveries/{delivery}"
	register(s, route{method: http.MethodGet, path: path, id: "listDeliveries", tag: tag, needs: readWebhooks,
		summary: "The deliveries of a webhook, the latest first", description: "Those that wait, and those that ended within the last 30 days."}, s.listDeliveries)
	register(s, route{method: http.MethodGet, path: one, id: "getDelivery", tag: tag, needs: readWebhooks,
		summary: "A delivery"}, s.getDelivery)
	register(s, route{method: http.MethodPost, path: one + "/retry", id: "retryDelivery", tag: tag, needs: writeWebhooks, status: accepted,
		summary: "Try a failed delivery again", description: "Ahead of what waits in its lane, with a new series of attempts."}, s.retryDelivery)
}

func (s *server) listDeliveries(ctx context.Context, in *struct {
	WebhookID
	Status deliveries.Status `query:"status" enum:"pending,delivered,failed,withdrawn" doc:"Only those of this status"`
	Paging
	After
}) (*listed[Delivery], error) {
	last, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.findWebhook(ctx, in.WebhookID, in.After); err != nil {
		return nil, err
	}
	before, _ := strconv.ParseInt(last, 10, 64) // a cursor is sealed; 0 at the start
	found, err := s.Webhooks.Log(ctx, in.ID, in.Status, before, in.more())
	return page(ctx, found, in.Paging, func(e deliveries.Entry) string { return strconv.FormatInt(e.Place, 10) }, deliveryOf), err
}

func (s *server) findWebhook(ctx context.Context, id WebhookID, after After) error {
	if err := s.waitFor(ctx, after, webhooksView); err != nil {
		return err
	}
	_, err := projections.FindWebhook(ctx, s.Views, id.ID)
	return err
}

func (s *server) getDelivery(ctx context.Context, in *struct {
	DeliveryID
	After
}) (*struct{ Body Delivery }, error) {
	if err := s.findWebhook(ctx, in.WebhookID, in.After); err != nil {
		return nil, err
	}
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	found, err := s.Webhooks.FindDelivery(ctx, id)
	return &struct{ Body Delivery }{deliveryOf(found)}, err
}

func (s *server) retryDelivery(ctx context.Context, in *struct {
	DeliveryID
	Command
	IfMatch
	Body Reason
}) (*done, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	found, err := s.Webhooks.FindDelivery(ctx, id)
	if err != nil {
		return nil, err
	}
	return doneOf(s.Handler.OnWebhook(ctx, in.meta(ctx), in.ID, in.version(), webhook.RetryDelivery{
		Delivery: in.Delivery, Failed: found.Status == deliveries.Failed, Reason: in.Body.Reason,
	}))
}
