package verification

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Sample says which objects of the archive are checked.
type Sample struct {
	All  bool
	Size int // when not all
	Seed uint64
}

// drawing is an object with its number in the draw.
type drawing struct {
	object
	number uint64
}

// sampler keeps the objects with the smallest numbers, which hang on seed and
// key alone: the same seed draws the same objects of the same archive, in
// whatever order and however often events name them.
type sampler struct {
	Sample
	heap drawings
	keys map[string]bool // in the heap
	seen int64
}

func newSampler(s Sample) *sampler { return &sampler{Sample: s, keys: map[string]bool{}} }

func (s *sampler) take(o object) {
	s.seen++
	d := drawing{o, s.number(o.Key)}
	if s.keys[o.Key] || s.Size == 0 || len(s.heap) == s.Size && d.number >= s.heap[0].number {
		return
	}
	heap.Push(&s.heap, d)
	s.keys[o.Key] = true
	if len(s.heap) > s.Size {
		delete(s.keys, heap.Pop(&s.heap).(drawing).Key)
	}
}

func (s *sampler) number(key string) uint64 {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, s.Seed), key...))
	return binary.BigEndian.Uint64(sum[:])
}

// drawn are the objects, in order of their keys.
func (s *sampler) drawn() []object {
	objects := make([]object, len(s.heap))
	for i, d := range s.heap {
		objects[i] = d.object
	}
	slices.SortFunc(objects, func(a, b object) int { return cmp.Compare(a.Key, b.Key) })
	return objects
}

// drawings is a heap, the largest number first.
type drawings []drawing

func (d drawings) Len() int           { return len(d) }
func (d drawings) Less(i, j int) bool { return d[i].number > d[j].number }
func (d drawings) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *drawings) Push(x any)        { *d = append(*d, x.(drawing)) }
func (d *drawings) Pop() any {
	last := (*d)[len(*d)-1]
	*d = (*d)[:len(*d)-1]
	return last
}
