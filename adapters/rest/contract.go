package rest

import (
	"io/fs"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/waybill-migration/waybill/contract"
)

// serveContract publishes the schemas, the mappings and the AsyncAPI document
// under their paths. Like the API's own document they tell nothing of what an
// installation holds, and so ask for no identity.
func serveContract(router gin.IRoutes) error {
	router.GET("/schemas", func(c *gin.Context) { c.Redirect(http.StatusFound, "/schemas/index.json") })
	return fs.WalkDir(contract.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := contract.Files.ReadFile(path)
		router.GET("/"+path, func(c *gin.Context) { c.Data(http.StatusOK, contractType(path), content) })
		return err
	})
}

func contractType(path string) string {
	switch {
	case path == "asyncapi.json":
		return "application/vnd.aai.asyncapi+json;version=3.0.0"
	case strings.HasPrefix(path, "schemas/waybill."):
		return "application/schema+json"
	}
	return "application/json"
}
