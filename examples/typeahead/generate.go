//go:build ignore

// This program writes symbols.txt: the exported functions, types and methods of Go's
// standard library, a line for each package and a line for each symbol below it.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	said, err := exec.Command("go", "list", "-f", "{{.ImportPath}}\t{{.Dir}}", "std").Output()
	if err != nil {
		log.Fatal(err)
	}
	var out bytes.Buffer
	for line := range strings.Lines(string(said)) {
		path, folder, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if strings.Contains("/"+path+"/", "/internal/") || strings.HasPrefix(path, "vendor/") {
			continue
		}
		if err := list(&out, path, folder); err != nil {
			log.Fatal(err)
		}
	}
	if err := os.WriteFile("symbols.txt", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

// list writes the symbols of a package.
func list(out *bytes.Buffer, path, folder string) error {
	in, err := build.ImportDir(folder, 0)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range append(in.GoFiles, in.CgoFiles...) {
		file, err := parser.ParseFile(set, filepath.Join(folder, name), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(set, files, path)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "package %s\n", path)
	for _, f := range p.Funcs {
		fmt.Fprintf(out, "func %s\n", f.Name)
	}
	for _, t := range p.Types {
		fmt.Fprintf(out, "type %s\n", t.Name)
		for _, f := range t.Funcs {
			fmt.Fprintf(out, "func %s\n", f.Name)
		}
		for _, m := range t.Methods {
			fmt.Fprintf(out, "method %s.%s\n", t.Name, m.Name)
		}
	}
	return nil
}
