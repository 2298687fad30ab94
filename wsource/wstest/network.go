package wstest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// DefaultBacklog is the number of connections that may wait for Accept at one listener,
// unless [Network.Backlog] says otherwise.
const DefaultBacklog = 128

// Network is a network in memory, on which programs dial listeners by name. The zero
// value is ready to use. Any goroutine may call its methods.
//
// It numbers the connections in the order of their dials, from 1 on, also the refused
// ones. It keeps a small record of each, with its counters, for as long as the network
// itself lives.
type Network struct {
	// Buffer is the number of bytes that a connection holds per direction; a Write that
	// finds no room waits. Zero or less means DefaultBuffer. Set it before the first
	// dial.
	Buffer int

	// Backlog is the number of dialled connections that may wait for Accept at a
	// listener; a dial that finds no room waits. Zero or less means DefaultBacklog. Set
	// it before the first Listen.
	Backlog int

	mu        sync.Mutex
	listeners map[string]*listener
	links     []*Link // by number, less one; nil if refused
	plans     map[int][]Fault
	everyDial []Fault
}

// Listen announces an address, such as "server.test:80". The host is any name, without
// regard to case; the port is any text. For an address that has a listener already,
// Listen returns an error that wraps syscall.EADDRINUSE.
//
// Close frees the address and resets the connections that are not accepted yet. It
// does not touch accepted ones.
func (n *Network) Listen(addr string) (net.Listener, error) {
	fail := func(err error) (net.Listener, error) {
		return nil, &net.OpError{Op: "listen", Net: address(addr).Network(), Addr: address(addr), Err: err}
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fail(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := strings.ToLower(addr)
	if n.listeners[key] != nil {
		return fail(os.NewSyscallError("bind", syscall.EADDRINUSE))
	}
	l := &listener{
		network: n,
		address: address(addr),
		backlog: make(chan *Conn, orDefault(n.Backlog, DefaultBacklog)),
		done:    make(chan struct{}),
	}
	if n.listeners == nil {
		n.listeners = make(map[string]*listener)
	}
	n.listeners[key] = l
	return l, nil
}

// DialContext connects to the listener at an address, and returns a [*Conn]. It fits
// [http.Transport.DialContext]; the network must be a form of "tcp".
//
// The connection is made once it is in the listener's backlog, as with TCP, accepted or
// not. DialContext waits only while the backlog is full. Its errors are [*net.OpError]s
// that wrap syscall.ECONNREFUSED when nobody listens or a [Refuse] is set, and the
// context's error when the context has ended.
func (n *Network) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: address(addr).Network(), Addr: address(addr), Err: err}
	}
	if !strings.HasPrefix(network, "tcp") {
		return fail(net.UnknownNetworkError(network))
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fail(err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	number, link, l := n.connect(addr)
	if link == nil {
		return fail(os.NewSyscallError("connect", syscall.ECONNREFUSED))
	}
	if err := l.enqueue(ctx, &link.server); err != nil {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.links[number-1] = nil
		return fail(err)
	}
	return &link.client, nil
}

// connect gives the next connection its number and its faults. It returns no link if
// the connection is refused.
func (n *Network) connect(addr string) (int, *Link, *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.links = append(n.links, nil)
	number := len(n.links)
	faults, planned := n.plans[number]
	if !planned {
		faults = n.everyDial
	}
	l := n.listeners[strings.ToLower(addr)]
	refused := slices.ContainsFunc(faults, func(f Fault) bool { return f.kind == refuse })
	if l == nil || refused {
		return number, nil, nil
	}
	port := strconv.Itoa(number)
	link := newLink("connection "+port, address(net.JoinHostPort("client.test", port)), l.address,
		orDefault(n.Buffer, DefaultBuffer))
	now := time.Now()
	for _, fault := range faults {
		link.set(fault, now)
	}
	n.links[number-1] = link
	return number, link, l
}

// HTTPClient returns a new client that dials on the network. Its Transport goes into the
// Transport field of wsource.DialOptions, and the client into the HTTPClient field of
// coder/websocket's. It keeps no idle connection, so that nothing is left of a refused
// handshake.
func (n *Network) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.DialContext, DisableKeepAlives: true}}
}

// OnDial sets the faults of one future connection, by its number: OnDial(1, ...) is for
// the first one. They replace the faults of OnEveryDial, so that OnDial(3) without faults
// makes the third connection a clean one. It returns a [*FaultError] if one of the faults
// cannot be set, and a [*NumberError] if the number is below 1 or its connection was
// dialled already.
func (n *Network) OnDial(number int, faults ...Fault) error {
	if err := checkFaults(faults); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if number <= len(n.links) {
		return &NumberError{Number: number, Dialled: len(n.links)}
	}
	if n.plans == nil {
		n.plans = make(map[int][]Fault)
	}
	n.plans[number] = slices.Clone(faults)
	return nil
}

// OnEveryDial sets the faults of all connections that are dialled from now on and have
// none by OnDial. OnEveryDial(Refuse()) is an outage, and OnEveryDial() ends it. It
// returns a [*FaultError], and changes nothing, if one of the faults cannot be set.
func (n *Network) OnEveryDial(faults ...Fault) error {
	if err := checkFaults(faults); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.everyDial = slices.Clone(faults)
	return nil
}

// NumberError reports faults for a connection that cannot come any more.
type NumberError struct {
	Number  int // the number in the call
	Dialled int // the number of connections dialled so far
}

// Error names the number, and the lowest possible one.
func (e *NumberError) Error() string {
	return fmt.Sprintf("wstest: no connection to come has number %d: the next is %d", e.Number, e.Dialled+1)
}

// Dials returns the number of connections dialled so far, the refused ones included.
func (n *Network) Dials() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.links)
}

// Link returns the connection with a number, open or closed. It returns nil if the
// connection was refused, was given up while it waited for the backlog, or has not been
// dialled.
func (n *Network) Link(number int) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	if number < 1 || number > len(n.links) {
		return nil
	}
	return n.links[number-1]
}

// Links returns the open connections. A connection is open until the program has closed
// both ends. A test that ends with none has leaked none.
func (n *Network) Links() []*Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	var open []*Link
	for _, link := range n.links {
		if link != nil && link.open() {
			open = append(open, link)
		}
	}
	return open
}

// free takes a listener off its address.
func (n *Network) free(l *listener) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.listeners, strings.ToLower(l.address.String()))
}

// orDefault returns the setting, or the default if it is not positive.
func orDefault(setting, otherwise int) int {
	if setting <= 0 {
		return otherwise
	}
	return setting
}
