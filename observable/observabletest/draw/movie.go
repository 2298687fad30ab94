package main

import (
	"fmt"
	"strings"

	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
)

// scene is the subject of the picture at the top of the repository's README: a feed whose
// connection breaks. A test runs it, and compares the values.
const (
	sceneSocket   = "-2-4-5-----6-#        --8---3-4------"
	sceneEven     = "-2-4-------6-#        --8-----4------"
	sceneDebounce = "------4------#        -----8-----4---"
	sceneRetry    = "------4--------------------8-----4----"
)

// scene returns the rows of the picture.
func scene() diagram.Diagram {
	lines := []string{
		"messages of the socket: " + sceneSocket,
		"Filter(even):           " + sceneEven,
		"DebounceTime(3ms):      " + sceneDebounce,
		"RetryBackoff:           " + sceneRetry,
	}
	d, _ := diagram.Parse(lines)
	return d
}

// seconds is the time that the picture takes to pass, and passing the marbles' part of
// it.
const (
	seconds = 10
	passing = 0.86
)

// movie returns a picture in which the marbles appear one after the other, and a line
// shows the time. With reduced motion it stands still and shows all.
func movie(d diagram.Diagram) string {
	const title = "A socket as a stream: values are filtered and debounced; when the connection breaks, the next one goes on"
	columns := 0
	for _, r := range d.Rows {
		for _, l := range r.Lines {
			columns = max(columns, l.To)
		}
	}
	still := paint(title, d, true)
	end := strings.LastIndex(still, "</svg>")
	begin := strings.Index(still, "</style>")
	var css, marks strings.Builder
	for c := range columns + 1 {
		at := 100 * passing * float64(c) / float64(columns)
		fmt.Fprintf(&css, "@keyframes c%d{0%%,%.1f%%{opacity:0}%.1f%%,97%%{opacity:1}100%%{opacity:0}}\n", c, at, at+0.8)
		fmt.Fprintf(&css, ".c%d{animation:c%d %ds infinite}\n", c, c, seconds)
	}
	left := labelWidth(d)
	fmt.Fprintf(&css, "@keyframes now{0%%{transform:translateX(0)}%.0f%%,100%%{transform:translateX(%dpx)}}\n",
		100*passing, columns*frame)
	fmt.Fprintf(&css, ".now{stroke:#0969da;stroke-width:2;opacity:.6;animation:now %ds linear infinite}\n", seconds)
	css.WriteString("@media (prefers-reduced-motion:reduce){*{animation:none!important}.now{display:none}}\n")
	fmt.Fprintf(&marks, `<path class="now" d="M%d 12v%d"/>`+"\n", left, rowHeight*len(d.Rows))
	return still[:begin] + css.String() + still[begin:end] + marks.String() + still[end:]
}
