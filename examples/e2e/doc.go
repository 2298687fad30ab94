// Package e2e opens each example's page in a Chromium, has people use it and its server
// die, and looks at it.
//
// The programs are built and run as processes of their own, on a port that they keep when
// they are started again. Package browsertest drives the pages.
//
//	go run ./examples e2e                 runs it
//	go run ./examples e2e -shots FOLDER   keeps pictures of the pages in a folder
//	go run ./examples e2e -pictures       draws the pictures in the examples' READMEs, and does nothing else
//
// In its folder, go test -v runs it too, with such flags behind -args.
//
// It consists of tests only.
package e2e
