package diagram

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// Operator is a function with a marble diagram in its comment.
type Operator struct {
	Name     string
	Synopsis string // the first sentence of its comment
	Diagram  Diagram
}

// Family is a list of the package's documentation that names the operators for each wish.
type Family struct {
	Title  string
	Leaves []Leaf
}

// Leaf is one line of a family.
type Leaf struct {
	Wish      string
	Operators []string
}

// ReadPackage reads the operators of a folder, by name, and the families of its package
// comment. It fails if a file does not parse, or if there are no operators or no
// families.
func ReadPackage(folder string) (operators map[string]Operator, families []Family, err error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, nil, err
	}
	set := token.NewFileSet()
	operators = map[string]Operator{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		if file.Doc != nil {
			families = append(families, readFamilies(file.Doc.Text())...)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Doc == nil {
				continue
			}
			o := Operator{Name: f.Name.Name, Synopsis: new(doc.Package).Synopsis(f.Doc.Text())}
			for _, block := range indented(f.Doc.Text()) {
				if o.Diagram, ok = Parse(block); ok {
					operators[o.Name] = o
					break
				}
			}
		}
	}
	if len(operators) == 0 || len(families) == 0 {
		return nil, nil, fmt.Errorf("%s has %d operators with a diagram and %d families", folder, len(operators), len(families))
	}
	return operators, families, nil
}

// indented returns the blocks of a comment that are indented by a tab.
func indented(comment string) (blocks [][]string) {
	var block []string
	for line := range strings.SplitSeq(comment, "\n") {
		if text, ok := strings.CutPrefix(line, "\t"); ok {
			block = append(block, text)
			continue
		}
		if block != nil {
			blocks, block = append(blocks, block), nil
		}
	}
	return blocks
}

// readFamilies reads the lists of a package comment that begin with "I want", and the
// operators that the links of each line lead to.
func readFamilies(comment string) (families []Family) {
	var wish string
	end := func() {
		if wish == "" {
			return
		}
		f := &families[len(families)-1]
		what, names, _ := strings.Cut(wish, ": ")
		l := Leaf{Wish: what}
		for part := range strings.SplitSeq(names, "[") {
			if name, _, ok := strings.Cut(part, "]"); ok {
				l.Operators = append(l.Operators, name)
			}
		}
		f.Leaves = append(f.Leaves, l)
		wish = ""
	}
	open := false
	for line := range strings.SplitSeq(comment, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "I want"):
			end()
			families = append(families, Family{Title: strings.TrimSuffix(trimmed, ":")})
			open = true
		case open && strings.HasPrefix(trimmed, "- "):
			end()
			wish = trimmed[2:]
		case open && wish != "" && strings.HasPrefix(line, "    "):
			wish += " " + trimmed
		case trimmed != "":
			end()
			open = false
		}
	}
	end()
	return families
}
