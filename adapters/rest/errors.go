package rest

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"

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
func serveErrors(router gin.IRoutes, pages *template.Template) error {
	if err := servePage(router, pages, "/docs/errors", "errors", errorCodes); err != nil {
		return err
	}
	for _, e := range errorCodes {
		if err := servePage(router, pages, "/docs/errors/"+e.Code, "error", e); err != nil {
			return err
		}
	}
	return nil
}

// servePage makes a page once and serves it to anyone.
func servePage(router gin.IRoutes, pages *template.Template, path, name string, about any) error {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, about); err != nil {
		return fmt.Errorf("make the page %s: %w", path, err)
	}
	serveStatic(router, path, "text/html; charset=utf-8", page.Bytes())
	return nil
}

func serveStatic(router gin.IRoutes, path, contentType string, content []byte) {
	router.GET(path, func(c *gin.Context) {
		c.Header("Content-Security-Policy", docsPolicy)
		c.Data(http.StatusOK, contentType, content)
	})
}
