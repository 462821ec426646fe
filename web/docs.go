package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Swagger UI: its bundle and stylesheet, packed. The packed form is what is
// sent; who cannot unpack it gets it unpacked, each time.
//
//go:embed swagger
var swaggerFiles embed.FS

// asset is a file that never changes while the server runs.
type asset struct {
	mediaType string
	tag       string
	plain     []byte // nil: unpack packed
	packed    []byte // nil: not worth it
}

func newAsset(mediaType string, body []byte) asset {
	a := asset{mediaType: mediaType, plain: body, tag: contentTag(body)}
	if len(body) > 1024 {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
		_, _ = w.Write(body)                                  // to memory
		_ = w.Close()
		a.packed = b.Bytes()
	}
	return a
}

func contentTag(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:8])
}

// docsAssets are the files of the page, by name.
func docsAssets() (map[string]asset, error) {
	read := func(name string) ([]byte, error) { return swaggerFiles.ReadFile("swagger/" + name) }
	assets := make(map[string]asset)
	for name, mediaType := range map[string]string{
		"swagger-ui-bundle.js": "text/javascript; charset=utf-8",
		"swagger-ui.css":       "text/css; charset=utf-8",
	} {
		packed, err := read(name + ".gz")
		if err != nil {
			return nil, err
		}
		assets[name] = asset{mediaType: mediaType, packed: packed, tag: contentTag(packed)}
	}
	for name, mediaType := range map[string]string{
		"index.html": "text/html; charset=utf-8",
		"start.js":   "text/javascript; charset=utf-8",
		"page.css":   "text/css; charset=utf-8",
	} {
		body, err := read(name)
		if err != nil {
			return nil, err
		}
		assets[name] = newAsset(mediaType, body)
	}
	return assets, nil
}

// docsPolicy lets the page run its own files and talk to this server, and
// nothing else.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *Server) docsPage(page asset) func(*call) error {
	return func(c *call) error {
		if strings.HasSuffix(c.fiber.Path(), "/") {
			// The page's links are relative, so that it works behind a proxy
			// that serves it under a path of its own.
			c.fiber.Response().Header.Set("Location", "../docs")
			c.fiber.Status(http.StatusPermanentRedirect)
			return nil
		}
		h := &c.fiber.Response().Header
		h.Set("Content-Security-Policy", docsPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		return c.send(page, "no-cache")
	}
}

// send answers with an asset: 304 where the client has it.
func (c *call) send(a asset, cacheControl string) error {
	res, req := c.fiber.Response(), c.fiber.Request()
	packed := a.packed != nil && (acceptsGzip(req.Header.Peek("Accept-Encoding")))
	tag := `"` + a.tag + `"`
	if packed {
		tag = `"` + a.tag + `-gz"`
	}
	res.Header.Set("ETag", tag)
	res.Header.Set("Cache-Control", cacheControl)
	if a.packed != nil {
		res.Header.Add("Vary", "Accept-Encoding")
	}
	if c.unchanged(tag) {
		c.fiber.Status(http.StatusNotModified)
		return nil
	}
	res.Header.SetContentType(a.mediaType)
	if packed {
		res.Header.Set("Content-Encoding", "gzip")
		res.SetBodyRaw(a.packed)
		return nil
	}
	body := a.plain
	if body == nil {
		r, err := gzip.NewReader(bytes.NewReader(a.packed))
		if err != nil {
			return fmt.Errorf("unpack an embedded file: %w", err)
		}
		if body, err = io.ReadAll(r); err != nil {
			return fmt.Errorf("unpack an embedded file: %w", err)
		}
	}
	res.SetBodyRaw(body)
	return nil
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3).
func acceptsGzip(header []byte) bool {
	accepts := false
	for member := range strings.SplitSeq(string(header), ",") {
		coding, params, _ := strings.Cut(member, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "*" {
			continue
		}
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q="); ok {
			weight, _ = strconv.ParseFloat(q, 64) // what is no number counts as 0
		}
		if coding == "gzip" {
			return weight > 0
		}
		accepts = weight > 0
	}
	return accepts
}

// root sends browsers to the page and tells others where it is.
func (s *Server) root(c *call) error {
	accept := string(c.fiber.Request().Header.Peek("Accept"))
	c.fiber.Response().Header.Add("Vary", "Accept")
	docs := ""
	if s.opts.DocsEnabled {
		docs = s.opts.PublicURL + "/docs"
	}
	if docs != "" && strings.Contains(accept, "text/html") {
		c.fiber.Response().Header.Set("Location", "docs")
		c.fiber.Status(http.StatusSeeOther)
		return nil
	}
	c.fiber.Response().Header.SetContentType(jsonType)
	c.fiber.Response().SetBodyRaw(appendAny(nil, rootView{
		Message: "Tenantry manages organizations. Its API is described by /openapi.json.",
		Version: s.services.Version, Docs: docs,
	}))
	return nil
}

type rootView struct {
	Message string `json:"message"`
	Version string `json:"version"`
	Docs    string `json:"docs,omitempty" format:"uri-reference" doc:"The documentation page."`
}
