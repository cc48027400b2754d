package simulator

import (
	"encoding/json"
	"io"
	"net/http"
)

// Hostile is how data calls misbehave while disturbed: what a source in
// another state than agreed may answer. It is for tests of what cannot end well.
type Hostile string

const (
	AnswersHTML   Hostile = "html"           // a login page, with status 200
	WrongShape    Hostile = "wrong-shape"    // JSON of another shape than agreed
	EndlessPages  Hostile = "endless-pages"  // there is always a next page, with the first page's items
	UnsteadyTotal Hostile = "unsteady-total" // each page says another total, and none agrees with the list
)

var hostilities = []Hostile{AnswersHTML, WrongShape, EndlessPages, UnsteadyTotal}

// misbehave answers a data call in place of the service, and tells if it did.
func (h Hostile) misbehave(w http.ResponseWriter) bool {
	switch h {
	case AnswersHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><title>登录</title><body>Please log in.</body></html>") // the client is gone, if it fails
		return true
	case WrongShape:
		answer(w, http.StatusOK, map[string]any{"errcode": "0000", "totalElement": "many", "data": map[string]any{"rows": []json.Number{"1"}}})
		return true
	}
	return false
}

// distort changes a listing's page.
func (h Hostile) distort(l *listing) {
	switch h {
	case EndlessPages:
		l.shown = l.rows[:min(l.query.PageSize, len(l.rows))]
		l.pages = l.query.CurrentPage + 1
	case UnsteadyTotal:
		l.total += l.query.CurrentPage
	}
}
