package main

import (
	"context"
	_ "embed" // for the symbols
	"slices"
	"strings"
	"time"
)

//go:generate go run generate.go

//go:embed symbols.txt
var symbolsText string

// symbol is an exported name of Go's standard library.
type symbol struct {
	Package string `json:"package"`
	Kind    string `json:"kind"` // package, func, type or method
	Name    string `json:"name"` // empty for a package

	key string // text that is searched: "net/http.server.serve"
}

// readSymbols reads symbols.txt.
func readSymbols(text string) (symbols []symbol) {
	path := ""
	for line := range strings.Lines(text) {
		kind, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if kind == "package" {
			path, name = name, ""
		}
		s := symbol{Package: path, Kind: kind, Name: name, key: strings.ToLower(path)}
		if name != "" {
			s.key += "." + strings.ToLower(name)
		}
		symbols = append(symbols, s)
	}
	return symbols
}

// maxMatches is the number of matches that an answer has at most.
const maxMatches = 50

// found is the answer to a search.
type found struct {
	Total   int      `json:"total"`
	Matches []symbol `json:"matches"`
}

// index is the service that searches.
type index struct {
	symbols []symbol
	work    time.Duration // added to each search, as by a network
}

// search returns the symbols whose name contains the text, those first whose name begins
// with it. It ends early with ctx, whose cause is then the error.
func (x *index) search(ctx context.Context, text string) (found, error) {
	select {
	case <-time.After(x.work):
	case <-ctx.Done():
		return found{}, context.Cause(ctx)
	}
	text = strings.ToLower(text)
	var matches []symbol
	for _, s := range x.symbols {
		if strings.Contains(s.key, text) {
			matches = append(matches, s)
		}
	}
	slices.SortStableFunc(matches, func(a, b symbol) int { return a.rank(text) - b.rank(text) })
	return found{Total: len(matches), Matches: matches[:min(len(matches), maxMatches)]}, nil
}

// rank orders matches: the text itself, then names that begin with it, then the rest.
func (s symbol) rank(text string) int {
	name := s.key[strings.LastIndexAny(s.key, "./")+1:]
	switch {
	case name == text || s.key == text:
		return 0
	case strings.HasPrefix(name, text) || strings.HasPrefix(s.key, text):
		return 1
	default:
		return 2
	}
}
