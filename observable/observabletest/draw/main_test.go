package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
	"github.com/rxsocket/rxsocket/operators"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const root = "../../.."

func TestPicturesAreUpToDate(t *testing.T) {
	files, err := generate(root)
	require.NoError(t, err)
	for path, text := range files {
		there, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err, "go run ./observable/observabletest/draw")
		assert.True(t, text == string(there), "%s: go run ./observable/observabletest/draw", path)
	}
	there, err := pictures(root)
	require.NoError(t, err)
	for _, path := range there {
		assert.Contains(t, files, path, "nothing draws it: go run ./observable/observabletest/draw")
	}
}

// TestEachOperatorIsReachable walks through the tree of "Which operator?".
func TestEachOperatorIsReachable(t *testing.T) {
	_, families, err := diagram.ReadPackage(root + "/operators")
	require.NoError(t, err)
	exported, examples := functions(t, root+"/operators")
	reached := map[string]bool{}
	for _, f := range families {
		for _, l := range f.Leaves {
			assert.NotEmpty(t, l.Operators, "%s: %s", f.Title, l.Wish)
			for _, name := range l.Operators {
				if _, other, ok := strings.Cut(name, "observable."); ok {
					assert.Contains(t, names(t, root+"/observable"), other, "%s: %s", f.Title, l.Wish)
					continue
				}
				assert.True(t, exported[name], "%s: %s: there is no operator %s", f.Title, l.Wish, name)
				reached[name] = true
			}
		}
	}
	for name := range exported {
		assert.True(t, reached[name], "no wish leads to %s: add it to operators/doc.go", name)
		assert.True(t, examples[name], "%s has no Example", name)
	}
}

func TestEachOperatorHasAPicture(t *testing.T) {
	drawn, _, err := diagram.ReadPackage(root + "/operators")
	require.NoError(t, err)
	exported, _ := functions(t, root+"/operators")
	for name := range exported {
		if strings.HasPrefix(name, "Reset") || name == "WatchNamed" {
			continue // those are no operators
		}
		_, ok := drawn[name]
		assert.True(t, ok, "there is no marble diagram in the comment of %s", name)
	}
}

// functions returns the exported functions of a folder, and those that have an Example.
func functions(t *testing.T, folder string) (exported, examples map[string]bool) {
	t.Helper()
	exported, examples = map[string]bool{}, map[string]bool{}
	for path, file := range files(t, folder) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() {
				continue
			}
			if name, ok := strings.CutPrefix(f.Name.Name, "Example"); ok {
				name, _, _ = strings.Cut(name, "_")
				examples[name] = true
			} else if !strings.HasSuffix(path, "_test.go") {
				exported[f.Name.Name] = true
			}
		}
	}
	return exported, examples
}

// names returns the names that the packages of a folder declare.
func names(t *testing.T, folder string) (all []string) {
	t.Helper()
	for _, file := range files(t, folder) {
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				all = append(all, d.Name.Name)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if typ, ok := spec.(*ast.TypeSpec); ok {
						all = append(all, typ.Name.Name)
					}
				}
			}
		}
	}
	return all
}

func files(t *testing.T, folder string) map[string]*ast.File {
	t.Helper()
	paths, err := filepath.Glob(folder + "/*.go")
	require.NoError(t, err)
	parsed := map[string]*ast.File{}
	for _, path := range paths {
		parsed[path], err = parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
	}
	return parsed
}

// TestTheSceneIsTrue runs the scene that the moving picture shows.
func TestTheSceneIsTrue(t *testing.T) {
	first, second, _ := strings.Cut(sceneSocket, "#")
	values := observabletest.Values[int]{'2': 2, '3': 3, '4': 4, '5': 5, '6': 6, '8': 8}
	observabletest.Run(t, func(t *observabletest.T) {
		marbles := []string{first + "#", strings.TrimSpace(second)}
		subscribed := 0
		socket := observable.Defer(func() observable.Observable[int] {
			subscribed++
			return observabletest.Cold(t, marbles[subscribed-1], values)
		})
		even := operators.Filter(socket, func(v int) bool { return v%2 == 0 })
		calm := operators.DebounceTime(even, 3*time.Millisecond)
		delay := time.Duration(strings.Count(second, " ")+1) * observabletest.Frame
		lasting := operators.RetryWith(calm, operators.RetryConfig{Delay: delay})
		observabletest.ExpectMarble(t, lasting, sceneRetry, values)
	})
	observabletest.Run(t, func(t *observabletest.T) {
		even := operators.Filter(observabletest.Cold(t, first+"#", values), func(v int) bool { return v%2 == 0 })
		shared := operators.Share(even)
		passed := observabletest.Record(t, shared)
		calm := observabletest.Record(t, operators.DebounceTime(shared, 3*time.Millisecond))
		require.NoError(t, calm.AwaitEnd())
		passed.ExpectMarble(t, sceneEven[:len(first)+1], values)
		calm.ExpectMarble(t, sceneDebounce[:len(first)+1], values)
	})
}

func TestFillIn(t *testing.T) {
	families := []diagram.Family{
		{Title: "I want one", Leaves: []diagram.Leaf{{Wish: "the last", Operators: []string{"Last"}}}},
		{Title: "I want all", Leaves: []diagram.Leaf{{Wish: "by hand", Operators: []string{"observable.Connectable"}}}},
	}
	drawn := map[string]diagram.Operator{"Last": {Name: "Last", Synopsis: "Last is last."}}
	page, err := fillIn("a\n"+treeBegins+ends+"\nb\n"+picturesBegins+"old"+ends, drawn, families)
	require.NoError(t, err)
	assert.Contains(t, page, "  - the last: [`Last`](#last)\n- **I want all**\n")
	assert.Contains(t, page, "### Last\n\nLast is last. [Reference](")
	assert.NotContains(t, page, "old")
	_, err = fillIn("a", nil, nil)
	assert.Error(t, err)
}
