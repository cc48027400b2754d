package rest

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"sync"

	"github.com/gin-gonic/gin"
)

// errorCode is a kind of problem.
type errorCode struct {
	Code    string
	Status  int
	Title   string
	Meaning string
	Remedy  string
}

// titles of problems, by code.
var titles = func() map[string]string {
	all := make(map[string]string, len(errorCodes))
	for _, e := range errorCodes {
		all[e.Code] = e.Title
	}
	return all
}()

// titleOf a problem; the words of its status when it is not in the table,
// which a test forbids.
func titleOf(code string, status int) string {
	if title := titles[code]; title != "" {
		return title
	}
	return http.StatusText(status)
}

//go:embed docs
var docsFiles embed.FS

// docsPolicy lets pages have the style that is served beside them, and nothing
// else: they run no script and load nothing from elsewhere.
const docsPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveErrors serves a page for each kind of problem, at the problem's type.
func serveErrors(router gin.IRoutes, pages *template.Template) {
	servePage(router, pages, "/docs/errors", "errors", func() any { return errorCodes })
	for _, e := range errorCodes {
		servePage(router, pages, "/docs/errors/"+e.Code, "error", func() any { return e })
	}
}

// servePage serves a page to anyone. It is made when it is first asked for,
// which most processes never are.
func servePage(router gin.IRoutes, pages *template.Template, path, name string, about func() any) {
	made := sync.OnceValues(func() ([]byte, error) {
		var page bytes.Buffer
		err := pages.ExecuteTemplate(&page, name, about())
		return page.Bytes(), err
	})
	router.GET(path, func(c *gin.Context) {
		page, err := made()
		if err != nil {
			refuse(c, fail(c.Request.Context(), fmt.Errorf("make the page %s: %w", path, err)))
			return
		}
		sendStatic(c, "text/html; charset=utf-8", page)
	})
}

func sendStatic(c *gin.Context, contentType string, content []byte) {
	c.Header("Content-Security-Policy", docsPolicy)
	c.Data(http.StatusOK, contentType, content)
}
