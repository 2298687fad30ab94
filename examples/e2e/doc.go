// Package e2e opens each example's page in a Chromium, has people use it and its server
// die, and looks at it.
//
// The programs are built and run as processes of their own, on a port that they keep when
// they are started again. Package browsertest drives the pages.
//
//	go test -v                       runs it
//	go test -v -args -shots FOLDER   keeps pictures of the pages in a folder
//	go test -v -args -pictures       draws the pictures in the examples' READMEs, and does nothing else
//
// It consists of tests only.
package e2e
