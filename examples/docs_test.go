// This file checks the documents of the repository: their Go code compiles, and their
// commands name packages, tests and steps that exist.

package main_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the folder of the module.
const root = ".."

// block is a piece of Go in a document.
type block struct {
	file  string
	line  int    // number of its first line
	given string // declarations in the comment before it
	code  string
}

// String returns the place of the block, in the form of compilers.
func (b block) String() string { return fmt.Sprintf("%s:%d", b.file, b.line) }

// The rule by which a block of Go is compiled: a block that begins with a package clause
// is a file. One of declarations is the rest of a file; any other is the body of a
// function that returns an error. For those two, a comment right before the block, which
// a reader does not see, may declare the names that they use. Functions need no body
// there:
//
//	<!-- go
//	type Price float64
//	func decode(m wsource.Message) (Price, error)
//	-->
//
// There is always a ctx, but in tests, which have that of t. Packages are imported as the
// blocks use them. The tests of a document are one package.
const givenMark = "<!-- go"

// oneDocument has the tests of documents look at one document only:
//
//	go test ./examples -run TestDocuments -args -document wsource/FAILURES.md
var oneDocument = flag.String("document", "", "test this document only, a path below the repository")

// documents returns the Markdown files of the repository.
func documents(t *testing.T) (files []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case entry.IsDir() && (name == "testdata" || name == "node_modules" || len(name) > 2 && name[0] == '.'):
			return fs.SkipDir
		case filepath.Ext(name) == ".md":
			files = append(files, filepath.ToSlash(path))
		}
		return nil
	}))
	require.Contains(t, files, root+"/README.md")
	if *oneDocument != "" {
		require.Contains(t, files, root+"/"+*oneDocument)
		return []string{root + "/" + *oneDocument}
	}
	return files
}

// blocksOf returns the blocks of Go in a document.
func blocksOf(t *testing.T, file string) (blocks []block) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var given string
	lines := strings.SplitAfter(string(data), "\n")
	upTo := func(i int, end string) (text string, next int) {
		for next = i; strings.TrimSpace(lines[next]) != end; next++ {
			require.Less(t, next+1, len(lines), "%s:%d: %s is missing", file, i, end)
			text += lines[next]
		}
		return text, next
	}
	for i := 0; i < len(lines); i++ {
		switch strings.TrimSpace(lines[i]) {
		case givenMark:
			given, i = upTo(i+1, "-->")
		case "```go":
			b := block{file: file, line: i + 2, given: given}
			b.code, i = upTo(i+1, "```")
			blocks, given = append(blocks, b), ""
		case "":
		default:
			given = ""
		}
	}
	return blocks
}

// packages are the packages that blocks import, by the name that they use.
var packages = map[string]string{
	"observable":     "github.com/rxsocket/rxsocket/observable",
	"observabletest": "github.com/rxsocket/rxsocket/observable/observabletest",
	"operators":      "github.com/rxsocket/rxsocket/operators",
	"backoff":        "github.com/rxsocket/rxsocket/operators/backoff",
	"wsource":        "github.com/rxsocket/rxsocket/wsource",
	"browser":        "github.com/rxsocket/rxsocket/wsource/browser",
	"event":          "github.com/rxsocket/rxsocket/wsource/event",
	"hub":            "github.com/rxsocket/rxsocket/wsource/hub",
	"inspect":        "github.com/rxsocket/rxsocket/wsource/inspect",
	"session":        "github.com/rxsocket/rxsocket/wsource/session",
	"wstest":         "github.com/rxsocket/rxsocket/wsource/wstest",
	"rxgo":           "github.com/reactivex/rxgo/v2",
	"context":        "context", "errors": "errors", "fmt": "fmt", "io": "io", "log": "log", "slog": "log/slog",
	"http": "net/http", "json": "encoding/json", "os": "os", "signal": "os/signal", "strings": "strings", "sync": "sync", "time": "time",
	"netip": "net/netip", "maps": "maps", "atomic": "sync/atomic", "slices": "slices", "strconv": "strconv", "math": "math", "url": "net/url", "testing": "testing", "synctest": "testing/synctest", "tls": "crypto/tls",
}

// source returns the file that a block is compiled as.
func (b block) source(t *testing.T) string {
	t.Helper()
	at := fmt.Sprintf("//line %s:%d\n", b.absolute(t), b.line)
	if strings.HasPrefix(b.code, "package ") {
		return at + b.code
	}
	text := b.declared(t)
	if !b.isTest() {
		text += "\nvar ctx = context.Background()\n"
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+b.code, 0); err == nil {
		text += at + b.code
	} else {
		text += "func _() error {\n" + at + b.code + b.uses(t) + "return nil\n}\n"
	}
	head := "package p\n"
	used, err := parser.ParseFile(token.NewFileSet(), "", head+strings.ReplaceAll(text, "//line", "//"), parser.SkipObjectResolution)
	require.NoError(t, err, "%v is not Go", b)
	imports := map[string]bool{}
	ast.Inspect(used, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := selector.X.(*ast.Ident); ok && packages[x.Name] != "" {
				imports[packages[x.Name]] = true
			}
		}
		return true
	})
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		head += fmt.Sprintf("import %q\n", path)
	}
	return head + text
}

// declared returns the declarations of the comment before the block, with bodies.
func (b block) declared(t *testing.T) string {
	t.Helper()
	const head = "package p\n"
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", head+b.given, parser.SkipObjectResolution)
	require.NoError(t, err, "the comment before %v is not Go", b)
	text := b.given
	for _, d := range slices.Backward(file.Decls) {
		if function, ok := d.(*ast.FuncDecl); ok && function.Body == nil {
			end := set.Position(function.End()).Offset - len(head)
			text = text[:end] + ` { panic("it is not called") }` + text[end:]
		}
	}
	return text
}

// uses returns statements that use the names which the block, a function's body,
// declares.
func (b block) uses(t *testing.T) (statements string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\nfunc _() {\n"+b.code+"}\n", parser.SkipObjectResolution)
	require.NoError(t, err, "%v is not Go", b)
	for _, statement := range file.Decls[0].(*ast.FuncDecl).Body.List {
		if assign, ok := statement.(*ast.AssignStmt); ok && assign.Tok == token.DEFINE {
			for _, name := range assign.Lhs {
				if ident, ok := name.(*ast.Ident); ok && ident.Name != "_" {
					statements += "_ = " + ident.Name + "\n"
				}
			}
		}
	}
	return statements
}

func (b block) absolute(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(b.file)
	require.NoError(t, err)
	return path
}

// isTest reports whether the block has a test, which is run.
func (b block) isTest() bool { return strings.Contains("\n"+b.code, "\nfunc Test") }

// TestDocumentsCompile compiles every block of Go in every document, and runs those that
// are tests. A failure names the document and the line.
func TestDocumentsCompile(t *testing.T) {
	folder := t.TempDir()
	overlay := map[string]string{}
	var patterns []string
	tests := map[string]string{} // the package of a document's tests
	given := map[string]bool{}   // declarations there
	module, err := filepath.Abs(root)
	require.NoError(t, err)
	for _, file := range documents(t) {
		if strings.HasPrefix(file, root+"/examples/bench/") {
			continue // a module of its own
		}
		for _, b := range blocksOf(t, file) {
			// It is a package of the module, and so has the module's requirements; the
			// folder need not exist.
			name := fmt.Sprintf("block%d", len(overlay))
			folderOf, as := name, "block.go"
			// The tests of a document are one package, which is linked once.
			if b.isTest() {
				as = name + "_test.go"
				if tests[file] == "" {
					tests[file] = name
				}
				folderOf = tests[file]
				if given[file+b.given] {
					b.given = ""
				}
				given[file+b.given] = true
			} else {
				patterns = append(patterns, "./examples/docs/"+name)
			}
			written := filepath.Join(folder, name+".go")
			require.NoError(t, os.WriteFile(written, []byte(b.source(t)), 0o600))
			overlay[filepath.Join(module, "examples", "docs", folderOf, as)] = written
		}
	}
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	list := filepath.Join(folder, "overlay.json")
	require.NoError(t, os.WriteFile(list, replace, 0o600))
	run := func(name string, arguments ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), name, arguments...)
		command.Dir = root
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	if len(patterns) > 0 {
		run("go", append([]string{"build", "-overlay", list}, patterns...)...)
	}
	for where, name := range tests {
		t.Log("running", where)
		binary := filepath.Join(folder, name+".test")
		run("go", "test", "-c", "-vet=off", "-overlay", list, "-o", binary, "./examples/docs/"+name)
		run(binary, "-test.timeout=1m")
	}
	t.Logf("%d blocks", len(overlay))
}

// TestDocumentsAreFormatted compares every block of Go with the output of gofmt for it.
func TestDocumentsAreFormatted(t *testing.T) {
	for _, file := range documents(t) {
		for _, b := range blocksOf(t, file) {
			formatted, err := format.Source([]byte(b.code))
			require.NoError(t, err, "%v", b)
			assert.Equal(t, string(formatted), b.code, "%v is not formatted", b)
		}
	}
}

// command is a line of a document that runs Go or the gate.
var command = regexp.MustCompile(`(?m)^(?:    |\$ )?((?:go (?:run|test)|\.ci/run)\b.*?)(?: {2,}.*| *#.*)?$`)

// TestDocumentsRun checks the commands of every document: the packages, tests and steps
// that they name exist. The step readme of .ci/run runs those of README.md.
func TestDocumentsRun(t *testing.T) {
	gate, err := os.ReadFile(root + "/.ci/run")
	require.NoError(t, err)
	count := 0
	for _, file := range documents(t) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range command.FindAllStringSubmatch(string(data), -1) {
			count++
			words := strings.Fields(match[1])
			if words[0] == ".ci/run" {
				for _, step := range words[1:] {
					assert.Contains(t, string(gate), "\n"+step+" ", "%s: %s", file, match[1])
				}
				continue
			}
			checkCommand(t, file, words[2:])
		}
	}
	if *oneDocument == "" {
		assert.Greater(t, count, 10)
	}
}

// checkCommand checks the arguments of go run or go test. Paths begin at the module's
// root or, if a command has none, at the document's folder.
func checkCommand(t *testing.T, file string, words []string) {
	t.Helper()
	where := fmt.Sprintf("%s: %q", file, words)
	var folders []string
	var tests string
	for i, word := range words {
		switch {
		case word == "-args":
			words = words[:i]
		case strings.HasPrefix(word, "./"):
			folders = append(folders, filepath.Join(root, strings.TrimSuffix(word, "...")))
		case word == ".":
			folders = append(folders, filepath.Dir(file))
		case word == "-C":
			folders = append(folders, filepath.Join(root, words[i+1]))
		case word == "-run":
			// Subtests are not looked for.
			tests, _, _ = strings.Cut(strings.Trim(words[i+1], "'"), "/")
		}
		if word == "-args" {
			break
		}
	}
	if len(folders) == 0 {
		folders = append(folders, filepath.Dir(file))
	}
	for _, folder := range folders {
		sources, err := filepath.Glob(folder + "/*.go")
		require.NoError(t, err)
		if strings.HasSuffix(folder, root) {
			continue // all packages
		}
		assert.NotEmpty(t, sources, "%s: there is no package %s", where, folder)
		if tests == "" || tests == "^$" {
			continue
		}
		pattern, err := regexp.Compile(tests)
		require.NoError(t, err, where)
		assert.True(t, slices.ContainsFunc(sources, func(source string) bool { return hasTest(t, source, pattern) }),
			"%s: there is no such test in %s", where, folder)
	}
}

// hasTest reports whether a file has a test that a pattern matches.
func hasTest(t *testing.T, source string, pattern *regexp.Regexp) bool {
	t.Helper()
	if !strings.HasSuffix(source, "_test.go") {
		return false
	}
	file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	return slices.ContainsFunc(file.Decls, func(d ast.Decl) bool {
		function, ok := d.(*ast.FuncDecl)
		return ok && strings.HasPrefix(function.Name.Name, "Test") && pattern.MatchString(function.Name.Name)
	})
}
