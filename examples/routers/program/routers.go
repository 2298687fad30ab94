package main

import (
	"compress/gzip"
	"io"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"

	gingzip "github.com/gin-contrib/gzip"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/handlers"
	"github.com/labstack/echo/v5"
	echomiddleware "github.com/labstack/echo/v5/middleware"
)

// The paths of every router.
const (
	livePath = "/live" // of the sockets
	textPath = "/text" // of a text that is worth compressing
)

// limit is how long a handler may take. A socket outlives it.
const limit = 10 * time.Second

// router builds a handler that has live at livePath and a text at textPath, both behind
// middleware that compresses, writes a line about each request to lines, and bounds the
// time.
type router func(live http.Handler, lines io.Writer) http.Handler

var routers = map[string]router{"mux": newMux, "chi": newChi, "gin": newGin, "echo": newEcho}

// serveText answers with a text that middleware compresses.
func serveText(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	// A client that has gone misses nothing.
	_, _ = io.WriteString(w, strings.Repeat("middleware compresses this. ", 200))
}

// newMux uses net/http and gorilla/handlers. http.TimeoutHandler holds a response back
// until it is complete, and so keeps the connection: the sockets are outside of it.
func newMux(live http.Handler, lines io.Writer) http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("GET "+textPath, serveText)
	mux := http.NewServeMux()
	mux.Handle("GET "+livePath, live)
	mux.Handle("/", http.TimeoutHandler(pages, limit, "too slow"))
	return handlers.CombinedLoggingHandler(lines, handlers.CompressHandler(mux))
}

// newChi uses the middleware of chi. Its Timeout ends the request's context, which is not
// the socket's.
func newChi(live http.Handler, lines io.Writer) http.Handler {
	r := chi.NewRouter()
	format := &chimiddleware.DefaultLogFormatter{Logger: log.New(lines, "", 0), NoColor: true}
	r.Use(chimiddleware.RequestLogger(format), chimiddleware.Recoverer)
	r.Use(chimiddleware.Compress(gzip.DefaultCompression), chimiddleware.Timeout(limit))
	r.Method(http.MethodGet, livePath, live)
	r.Get(textPath, serveText)
	return r
}

// newGin uses the middleware of gin, and gin-contrib/gzip.
func newGin(live http.Handler, lines io.Writer) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.LoggerWithWriter(lines), gin.Recovery(), gingzip.Gzip(gingzip.DefaultCompression))
	r.GET(livePath, gin.WrapH(live))
	r.GET(textPath, gin.WrapF(serveText))
	return r
}

// newEcho uses the middleware of echo. Its ContextTimeout ends the request's context,
// which is not the socket's.
func newEcho(live http.Handler, lines io.Writer) http.Handler {
	e := echo.New()
	e.Logger = slog.New(slog.NewTextHandler(lines, nil))
	e.Use(echomiddleware.RequestLogger(), echomiddleware.Recover())
	e.Use(echomiddleware.Gzip(), echomiddleware.ContextTimeout(limit))
	e.GET(livePath, echo.WrapHandler(live))
	e.GET(textPath, echo.WrapHandler(http.HandlerFunc(serveText)))
	return e
}
