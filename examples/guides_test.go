package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// named is a test that a document names, with its package: `wsource.TestConfirm`.
var named = regexp.MustCompile("`([a-z]+)\\.(Test[A-Z][A-Za-z0-9]*)`")

// TestDocumentsNameTests looks for each test that a document names as a proof.
func TestDocumentsNameTests(t *testing.T) {
	folders := map[string]string{
		"observable": "observable", "operators": "operators", "wsource": "wsource", "hub": "wsource/hub",
		"event": "wsource/event", "session": "wsource/session", "natsbroker": "wsource/natsbroker",
	}
	count := 0
	for _, file := range documents(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range named.FindAllStringSubmatch(string(data), -1) {
			count++
			folder := folders[match[1]]
			require.NotEmpty(t, folder, "%s: %s", file, match[0])
			sources, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
			require.NoError(t, err)
			assert.True(t, declares(t, sources, match[2]), "%s: there is no %s", file, match[0])
		}
	}
	if *oneDocument == "" {
		assert.Greater(t, count, 30)
	}
}

// TestDocumentsLink looks for each file that a document links to, and each heading.
func TestDocumentsLink(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fences := regexp.MustCompile("(?s)\n```.*?\n```|<!-- go.*?-->|`[^`\n]*`")
	for _, file := range documents(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range links.FindAllStringSubmatch(fences.ReplaceAllString(string(data), ""), -1) {
			target, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := file
			if target != "" {
				path = filepath.Join(filepath.Dir(file), target)
			}
			info, err := os.Stat(path)
			if !assert.NoError(t, err, "%s: %s", file, match[1]) || info.IsDir() || heading == "" || filepath.Ext(path) != ".md" {
				continue
			}
			assert.Contains(t, headings(t, path), heading, "%s: %s", file, match[1])
		}
	}
}

// headings returns the anchors of a document, as GitHub makes them.
func headings(t *testing.T, path string) (anchors []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	code := false
	for line := range strings.SplitSeq(string(data), "\n") {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		text := strings.TrimLeft(line, "#")
		if code || text == line || !strings.HasPrefix(text, " ") {
			continue
		}
		text = dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), "")
		anchors = append(anchors, strings.ReplaceAll(text, " ", "-"))
	}
	return anchors
}

// declares reports whether one of the files declares a test.
func declares(t *testing.T, sources []string, name string) bool {
	t.Helper()
	for _, source := range sources {
		data, err := os.ReadFile(source)
		require.NoError(t, err)
		if strings.Contains(string(data), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
