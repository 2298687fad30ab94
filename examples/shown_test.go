package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryIdentifierIsShown counts the exported identifiers of all packages, those of
// the nested modules included: types, functions, methods, constants and variables. It
// fails with the names of those that are not shown. An identifier is shown if
//
//   - an Example has its name;
//   - an Example uses it, or a function or type of its package that the Example reaches;
//   - a block of Go in a document uses it;
//   - it is a method of an interface that is shown, and a type beside the Examples has
//     it;
//   - it is a method that belongs to a common form: one of an interface that the type
//     fulfils, where the type and the interface are shown, or one of methodsOfForms.
//
// Package main, packages below a folder named internal, the examples, and browsertest,
// which is for the tests of this repository's pages, export nothing to users.
func TestEveryIdentifierIsShown(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles every module")
	}
	var all, missing []string
	s := shown{used: map[string]bool{}, interfaces: map[string][]string{}, declared: map[string]bool{}}
	modules := modulesOf(t)
	loaders := make([]*loader, len(modules))
	for i, module := range modules {
		loaders[i] = newLoader(t, module)
		loaders[i].addExamples(t, &s)
	}
	for _, file := range documents(t) {
		for _, b := range blocksOf(t, file) {
			if l := loaderOf(loaders, b.file); l != nil {
				l.addBlock(t, b, &s)
			}
		}
	}
	for _, l := range loaders {
		l.collectInterfaces(t, &s)
	}
	for _, l := range loaders {
		for _, id := range l.exported(t, &s) {
			all = append(all, id.name)
			if !id.shown {
				missing = append(missing, id.name)
			}
		}
	}
	slices.Sort(missing)
	t.Logf("%d of %d exported identifiers are shown by an Example or a document", len(all)-len(missing), len(all))
	require.NotEmpty(t, all)
	assert.Empty(t, missing, "nothing shows these:\n%s", strings.Join(missing, "\n"))
}

// exempt reports whether the exports of a package are not for importers of the module.
func exempt(path string) bool {
	return slices.ContainsFunc([]string{"/internal/", "/examples/", "/browsertest/"}, func(folder string) bool {
		return strings.Contains(path+"/", folder)
	})
}

// methodsOfForms are methods whose name explains them, as package errors, fmt, log/slog,
// encoding and net demand them.
var methodsOfForms = []string{
	"Error", "Unwrap", "Is", "As", "String", "GoString", "Format", "LogValue", "Timeout", "Temporary",
	"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText",
}

// shown is the names that Examples and documents use, by qualified name.
type shown struct {
	used       map[string]bool
	interfaces map[string][]string // the methods of the exported interfaces
	declared   map[string]bool     // the methods that types in files of Examples declare
}

// see notes each identifier below n that info resolves.
func (s *shown) see(info *types.Info, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if o := info.Uses[n]; o != nil {
				s.used[qualified(o)] = true
				s.typeOf(o.Type())
			}
		case ast.Expr:
			s.typeOf(info.Types[n].Type)
		}
		return true
	})
}

// named notes the identifier in the name of an Example, as in ExampleScope_Close.
func (s *shown) named(path, name string) {
	typ, method, _ := strings.Cut(name, "_")
	s.used[path+"."+typ] = true
	s.used[path+"."+typ+"."+method] = true
}

// typeOf notes the type of an expression: a type is shown if the reader sees a value of
// it.
func (s *shown) typeOf(typ types.Type) {
	switch typ := typ.(type) {
	case *types.Pointer:
		s.typeOf(typ.Elem())
	case *types.Slice:
		s.typeOf(typ.Elem())
	case *types.Tuple: // type of a call
		for v := range typ.Variables() {
			s.typeOf(v.Type())
		}
	case *types.Named:
		s.used[qualified(typ.Obj())] = true
	case *types.Alias:
		s.used[qualified(typ.Obj())] = true
	}
}

// qualified returns the name of an object with its package, and with its receiver if it
// is a method.
func qualified(o types.Object) string {
	if o.Pkg() == nil {
		return o.Name()
	}
	path := strings.TrimSuffix(o.Pkg().Path(), "_test")
	if f, ok := o.(*types.Func); ok {
		f = f.Origin()
		if recv := f.Signature().Recv(); recv != nil {
			return path + "." + typeName(recv.Type()) + "." + f.Name()
		}
	}
	return path + "." + o.Name()
}

// typeName returns the name of a receiver's type.
func typeName(typ types.Type) string {
	if pointer, ok := typ.(*types.Pointer); ok {
		typ = pointer.Elem()
	}
	if named, ok := typ.(*types.Named); ok {
		return named.Obj().Name()
	}
	return "interface"
}

// addExamples notes the names that the Examples of the module use.
func (l *loader) addExamples(t *testing.T, s *shown) {
	t.Helper()
	for _, p := range l.packages {
		for _, files := range [][]*ast.File{
			l.parse(t, p.Dir, p.XTestGoFiles),
			l.parse(t, p.Dir, slices.Concat(p.GoFiles, p.TestGoFiles)),
		} {
			info := l.check(p.ImportPath+"_test", files)
			declared := map[types.Object]ast.Node{}
			methods := map[string][]ast.Node{} // by the type that has them
			var pending []ast.Node
			for _, d := range declarations(files, l.set) {
				switch f, ok := d.(*ast.FuncDecl); {
				case ok && f.Recv != nil:
					s.declared[f.Name.Name] = true
					if o, ok := info.Defs[f.Name].(*types.Func); ok {
						typ := typeName(o.Signature().Recv().Type())
						methods[typ] = append(methods[typ], f)
					}
				case ok && strings.HasPrefix(f.Name.Name, "Example"):
					s.named(p.ImportPath, strings.TrimPrefix(f.Name.Name, "Example"))
					pending = append(pending, f.Body)
				}
				declare(info, d, declared)
			}
			for len(pending) > 0 {
				n := pending[0]
				pending = pending[1:]
				s.see(info, n)
				if typ, ok := n.(*ast.TypeSpec); ok {
					pending = append(pending, methods[typ.Name.Name]...)
				}
				ast.Inspect(n, func(n ast.Node) bool {
					if ident, ok := n.(*ast.Ident); ok {
						if d := declared[info.Uses[ident]]; d != nil {
							pending = append(pending, d)
							delete(declared, info.Uses[ident])
						}
					}
					return true
				})
			}
		}
	}
}

// declarations returns the declarations of test files.
func declarations(files []*ast.File, set *token.FileSet) (all []ast.Decl) {
	for _, f := range files {
		if strings.HasSuffix(set.Position(f.Pos()).Filename, "_test.go") {
			all = append(all, f.Decls...)
		}
	}
	return all
}

// declare notes the names that a declaration declares; that of a type has its methods,
// under a name of their own.
func declare(info *types.Info, d ast.Decl, declared map[types.Object]ast.Node) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		declared[info.Defs[d.Name]] = d
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				declared[info.Defs[spec.Name]] = spec
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					declared[info.Defs[name]] = spec
				}
			}
		}
	}
}

// addBlock notes the names that a block of a document uses.
func (l *loader) addBlock(t *testing.T, b block, s *shown) {
	t.Helper()
	file, err := parser.ParseFile(l.set, "", b.source(t), parser.SkipObjectResolution)
	require.NoError(t, err, "%v", b)
	info := l.check("p", []*ast.File{file})
	s.see(info, file)
}

// identifier is an exported name.
type identifier struct {
	name  string
	shown bool
}

// collectInterfaces notes the exported interfaces of the module.
func (l *loader) collectInterfaces(t *testing.T, s *shown) {
	t.Helper()
	for _, o := range l.objects(t) {
		if i, ok := o.Type().Underlying().(*types.Interface); ok && i.IsMethodSet() {
			for m := range i.Methods() {
				s.interfaces[qualified(o)] = append(s.interfaces[qualified(o)], m.Name())
			}
		}
	}
}

// objects returns the names that the packages of the module export.
func (l *loader) objects(t *testing.T) (all []types.Object) {
	t.Helper()
	for _, p := range l.packages {
		exported, err := l.imports.Import(p.ImportPath)
		require.NoError(t, err)
		for _, name := range exported.Scope().Names() {
			if o := exported.Scope().Lookup(name); o.Exported() {
				all = append(all, o)
			}
		}
	}
	return all
}

// exported returns the exported identifiers of the module.
func (l *loader) exported(t *testing.T, s *shown) (all []identifier) {
	t.Helper()
	for _, o := range l.objects(t) {
		all = append(all, identifier{qualified(o), s.used[qualified(o)]})
		if typ, ok := o.(*types.TypeName); ok && !typ.IsAlias() {
			all = append(all, methodsOf(typ, s)...)
		}
	}
	return all
}

// methodsOf returns the exported methods that a type declares itself.
func methodsOf(typ *types.TypeName, s *shown) (all []identifier) {
	named := typ.Type().(*types.Named)
	var methods []*types.Func
	if i, ok := named.Underlying().(*types.Interface); ok {
		methods = slices.Collect(i.ExplicitMethods())
	} else {
		methods = slices.Collect(named.Methods())
	}
	for _, m := range methods {
		if !m.Exported() || slices.Contains(methodsOfForms, m.Name()) {
			continue
		}
		name := qualified(m)
		shown := s.used[name]
		if _, ok := named.Underlying().(*types.Interface); ok {
			name = qualified(typ) + "." + m.Name()
			shown = s.used[name] || s.used[qualified(typ)] && s.declared[m.Name()]
		}
		all = append(all, identifier{name, shown || s.used[qualified(typ)] && s.demanded(named, m.Name())})
	}
	return all
}

// demanded reports whether a shown interface of the toolkit has the method, and the type
// all of that interface's methods. It compares only names, since either may be generic.
func (s *shown) demanded(named *types.Named, method string) bool {
	methods := types.NewMethodSet(types.NewPointer(named))
	has := func(name string) bool { return methods.Lookup(nil, name) != nil }
	return slices.ContainsFunc(slices.Collect(maps.Keys(s.interfaces)), func(name string) bool {
		demands := s.interfaces[name]
		return s.used[name] && slices.Contains(demands, method) && !slices.ContainsFunc(demands, func(m string) bool { return !has(m) })
	})
}
