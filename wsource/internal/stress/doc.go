// Package stress has no code but tests of a server over TCP whose peers are hostile, or
// very many. Its descriptors, goroutines and memory are those of the whole process, so it
// is a package apart.
package stress
