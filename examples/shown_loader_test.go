package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// loader type-checks the packages of a module from the compiler's export data.
type loader struct {
	folder   string
	packages []*listed
	exports  map[string]string // files of export data, by import path
	set      *token.FileSet
	imports  types.Importer
}

// listed is a package in the output of go list.
type listed struct {
	ImportPath, Dir, Name, Export string
	GoFiles, TestGoFiles          []string
	XTestGoFiles                  []string
}

// modulesOf returns the folders with a go.mod, the root first.
func modulesOf(t *testing.T) (folders []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if entry.Name() == "go.mod" {
			folders = append(folders, filepath.Dir(path))
		}
		return err
	}))
	slices.SortFunc(folders, func(a, b string) int { return len(a) - len(b) })
	require.Equal(t, root, folders[0])
	return folders
}

// newLoader lists the packages of a module, and compiles them if one of them exports a
// name. Packages that only tests import are not compiled: an Example does without them.
func newLoader(t *testing.T, folder string) *loader {
	t.Helper()
	l := &loader{folder: folder, exports: map[string]string{}, set: token.NewFileSet()}
	l.imports = importer.ForCompiler(l.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(l.exports[path]) })
	l.packages = list(t, folder, "./...")
	l.packages = slices.DeleteFunc(l.packages, func(p *listed) bool {
		return p.Name == "main" || exempt(p.ImportPath) || len(p.GoFiles) == 0
	})
	if len(l.packages) > 0 {
		for _, p := range list(t, folder, "-deps", "-export", "./...") {
			l.exports[p.ImportPath] = p.Export
		}
	}
	return l
}

// list asks go list for the packages of a module.
func list(t *testing.T, folder string, arguments ...string) (packages []*listed) {
	t.Helper()
	arguments = append([]string{"list", "-json=ImportPath,Dir,Name,Export,GoFiles,TestGoFiles,XTestGoFiles"}, arguments...)
	command := exec.CommandContext(t.Context(), "go", arguments...)
	command.Dir = folder
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	require.NoError(t, err, "%s: %s", folder, complaints.String())
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(listed)
		err := decoder.Decode(p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages = append(packages, p)
	}
}

// loaderOf returns the loader of the module that a document is in.
func loaderOf(loaders []*loader, file string) (best *loader) {
	for _, l := range loaders {
		if strings.HasPrefix(file, l.folder+"/") && (best == nil || len(l.folder) > len(best.folder)) {
			best = l
		}
	}
	return best
}

// check type-checks files as a package, as far as that goes.
func (l *loader) check(path string, files []*ast.File) *types.Info {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	// An export_test.go is not seen from here.
	config := types.Config{Importer: l.imports, Error: func(error) {}}
	_, _ = config.Check(path, l.set, files, info)
	return info
}

// parse parses files of a folder.
func (l *loader) parse(t *testing.T, folder string, names []string) (files []*ast.File) {
	t.Helper()
	for _, name := range names {
		file, err := parser.ParseFile(l.set, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, file)
	}
	return files
}
