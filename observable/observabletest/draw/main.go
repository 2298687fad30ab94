// Draw draws the pictures of the documents from the comments of the code:
//
//	go run ./observable/observabletest/draw
//
// For each marble diagram of an operator's comment it writes a picture into
// operators/marbles, and the lists of the operators into operators/README.md. The moving
// picture at the top of the repository's README is wsource/socket.svg. A test fails when
// they are not up to date.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
)

func main() {
	log.SetFlags(0)
	root := flag.String("root", ".", "the folder of the repository")
	flag.Parse()
	if err := run(*root); err != nil {
		log.Fatal(err)
	}
}

// The paths below the repository.
const (
	marbles = "operators/marbles"
	page    = "operators/README.md"
	moving  = "wsource/socket.svg"
)

// run writes all, and removes pictures that nothing draws any more.
func run(root string) error {
	files, err := generate(root)
	if err != nil {
		return err
	}
	old, err := pictures(root)
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, ok := files[path]; !ok {
			if err := os.Remove(filepath.Join(root, path)); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(root, marbles), 0o755); err != nil { //nolint:gosec // it is public
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(root, path), []byte(files[path]), 0o644); err != nil { //nolint:gosec // it is public
			return err
		}
	}
	return nil
}

// pictures returns the paths of the operators' pictures that exist.
func pictures(root string) (paths []string, err error) {
	entries, err := os.ReadDir(filepath.Join(root, marbles))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		paths = append(paths, marbles+"/"+e.Name())
	}
	return paths, err
}

// generate returns the files for the repository, by path.
func generate(root string) (map[string]string, error) {
	operators, families, err := diagram.ReadPackage(filepath.Join(root, "operators"))
	if err != nil {
		return nil, err
	}
	files := map[string]string{moving: movie(scene())}
	for _, name := range slices.Sorted(maps.Keys(operators)) {
		files[marbles+"/"+name+".svg"] = draw(name, operators[name].Diagram)
	}
	text, err := os.ReadFile(filepath.Join(root, page)) //nolint:gosec // the folder is its argument
	if err != nil {
		return nil, err
	}
	files[page], err = fillIn(string(text), operators, families)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", page, err)
	}
	return files, nil
}
