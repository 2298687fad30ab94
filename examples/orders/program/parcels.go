package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// parcels are the shipped orders.
type parcels interface {
	// ship ships an order, unless it was shipped before, and reports whether it was. Both
	// are one step: no kill can come between them.
	ship(ctx context.Context, order Order, worker string) (again bool, err error)
}

// newParcels returns parcels in a folder, or in memory if it is "".
func newParcels(folder string) (parcels, error) {
	if folder == "" {
		return &memoryParcels{shipped: make(map[string]bool)}, nil
	}
	return folderParcels(folder), os.MkdirAll(folder, 0o750)
}

// memoryParcels are parcels of one process.
type memoryParcels struct {
	mu      sync.Mutex
	shipped map[string]bool // by the order's ID
}

func (p *memoryParcels) ship(_ context.Context, order Order, _ string) (again bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	again = p.shipped[order.ID]
	p.shipped[order.ID] = true
	return again, nil
}

// folderParcels are files, one for each order, in a folder that several processes share.
// A database would have a table with the order's ID as its primary key.
type folderParcels string

func (p folderParcels) ship(_ context.Context, order Order, worker string) (again bool, err error) {
	label, err := json.Marshal(News{Order: order, By: worker})
	if err != nil {
		return false, err
	}
	draft, err := os.CreateTemp(string(p), "draft-*")
	if err != nil {
		return false, err
	}
	defer os.Remove(draft.Name()) //nolint:errcheck // its name shows that it is no parcel
	_, err = draft.Write(label)
	if err = errors.Join(err, draft.Close()); err != nil {
		return false, err
	}
	// Link fails if there is one.
	err = os.Link(draft.Name(), filepath.Join(string(p), order.ID+".json"))
	if errors.Is(err, fs.ErrExist) {
		return true, nil
	}
	return false, err
}
