package observabletest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// Values maps the letters of a marble string to values. Without it, a letter stands for
// itself as a string, and a digit for its number as any type of integer or for itself as
// a string.
type Values[V any] map[rune]V

// merge returns the values of all maps, where later maps win, or nil if there is no map.
func merge[V any](all []Values[V]) Values[V] {
	if len(all) == 0 {
		return nil
	}
	merged := Values[V]{}
	for _, values := range all {
		maps.Copy(merged, values)
	}
	return merged
}

// of returns the value of a symbol.
func (values Values[V]) of(symbol rune) (V, bool) {
	if values != nil {
		v, ok := values[symbol]
		return v, ok
	}
	return literal[V](symbol)
}

// literal returns the value of a symbol that needs no map.
func literal[V any](symbol rune) (value V, ok bool) {
	v := reflect.ValueOf(&value).Elem()
	if v.Kind() == reflect.String {
		v.SetString(string(symbol))
		return value, true
	}
	digit := strings.IndexRune("0123456789", symbol)
	switch {
	case digit >= 0 && v.CanInt():
		v.SetInt(int64(digit))
	case digit >= 0 && v.CanUint():
		v.SetUint(uint64(digit))
	default:
		return value, false
	}
	return value, true
}

// events returns the notifications that the marks of a marble stand for; the other marks
// are left out.
func events[V any](m Marble, values Values[V]) ([]Event[V], error) {
	var all []Event[V]
	for _, mark := range m.Marks {
		e := Event[V]{At: mark.At.Round(resolution)}
		switch {
		case mark.isValue():
			v, ok := values.of(mark.Symbol)
			if !ok {
				return nil, m.fault(mark, fmt.Sprintf("%q stands for no %T", mark.Symbol, v))
			}
			e.Value = v
		case mark.Symbol == symbolComplete:
			e.Kind = Complete
		case mark.Symbol == symbolError:
			e.Kind = Error
		default:
			continue
		}
		all = append(all, e)
	}
	return all, nil
}

// alphabet gives each value a symbol: the symbol of a map, its own, or a free one.
type alphabet[V any] struct {
	values  Values[V]
	symbols map[rune]V // the symbols given so far
}

func newAlphabet[V any](values Values[V]) *alphabet[V] {
	return &alphabet[V]{values: values, symbols: make(map[rune]V)}
}

// symbol returns the symbol of a value, always the same one.
func (a *alphabet[V]) symbol(v V) rune {
	for _, given := range []map[rune]V{a.values, a.symbols} {
		for _, symbol := range slices.Sorted(maps.Keys(given)) {
			if isValueSymbol(symbol) && reflect.DeepEqual(given[symbol], v) {
				return symbol
			}
		}
	}
	symbol, size := utf8.DecodeRuneInString(fmt.Sprint(v))
	if own, ok := literal[V](symbol); !ok || size != len(fmt.Sprint(v)) || !reflect.DeepEqual(own, v) || !a.free(symbol) {
		symbol = a.unused()
	}
	a.symbols[symbol] = v
	return symbol
}

// free reports whether a symbol may be given to a value.
func (a *alphabet[V]) free(symbol rune) bool {
	_, given := a.symbols[symbol]
	_, mapped := a.values[symbol]
	return isValueSymbol(symbol) && !given && !mapped
}

// unused returns a free symbol: a small letter of the ASCII if there is one, then a
// capital, then any letter beyond.
func (a *alphabet[V]) unused() rune {
	for _, first := range "aA" {
		for symbol := first; symbol < first+26; symbol++ {
			if a.free(symbol) {
				return symbol
			}
		}
	}
	symbol := rune(utf8.RuneSelf)
	for !a.free(symbol) {
		symbol++
	}
	return symbol
}

// marks is the reverse of events.
func (a *alphabet[V]) marks(all []Event[V]) []Mark {
	marks := make([]Mark, len(all))
	for i, e := range all {
		marks[i] = Mark{At: e.At, Symbol: a.mark(e)}
	}
	return marks
}

func (a *alphabet[V]) mark(e Event[V]) rune {
	switch e.Kind {
	case Next:
		return a.symbol(e.Value)
	case Error:
		return symbolError
	default:
		return symbolComplete
	}
}

// text returns an event as a table has it: a symbol with the value that it stands for,
// unless the symbol shows the value.
func (a *alphabet[V]) text(e Event[V]) string {
	symbol := string(a.mark(e))
	switch {
	case e.Kind == Error && e.Err != nil:
		return fmt.Sprintf("%s %v", symbol, e.Err)
	case e.Kind == Next && fmt.Sprint(e.Value) != symbol:
		return fmt.Sprintf("%s = %+v", symbol, e.Value)
	}
	return symbol
}
