// Command bench runs the same work through rxsocket and its peers, side by side in one run,
// and prints a table.
//
//	go run . [-only WORK] [-rounds 5] [-time 300ms]
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"testing"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "clients" { // this program, as the clients of another
		if err := runClients(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	testing.Init()
	only := flag.String("only", "", "run the works whose names match this regular expression")
	rounds := flag.Int("rounds", 5, "how often each contender runs, in turn with the others")
	each := flag.Duration("time", 300*time.Millisecond, "how long each contender runs in a round")
	list := flag.Bool("list", false, "list the works")
	flag.Parse()
	if err := run(*only, *rounds, *each, *list); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(only string, rounds int, each time.Duration, list bool) error {
	match, err := regexp.Compile(only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	if rounds < 1 || each <= 0 {
		return fmt.Errorf("-rounds is %d and -time is %v: both must be positive", rounds, each)
	}
	if err := flag.Set("test.benchtime", each.String()); err != nil {
		return err
	}
	fmt.Printf("%s %s/%s, %d processors, %d rounds of %v each\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), rounds, each)
	for _, w := range works() {
		if !match.MatchString(w.name) {
			continue
		}
		if list {
			fmt.Println(w.name)
			continue
		}
		table, err := w.measure(rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		fmt.Println(table)
	}
	return nil
}

// works returns everything that is measured.
func works() []work {
	var all []work
	for _, family := range [][]work{chainWorks(), producerWorks(), timeWorks(), rxWorks(), socketWorks(), memoryWorks(), broadcastWorks()} {
		all = append(all, family...)
	}
	return all
}
