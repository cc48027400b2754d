package content

import (
	"errors"
	"fmt"
)

// pdfNode is what an object is to the tree of pages, noted when it was read.
type pdfNode uint8

const (
	pdfNoNode pdfNode = iota
	pdfLeaf           // a dictionary without kids: a page, if the tree names it
	pdfBranch
	pdfVisited // a branch that was gone through
)

func nodeOf(v pdfValue) pdfNode {
	switch {
	case v.kind != pdfDict:
		return pdfNoNode
	case v.get("Kids").kind != pdfEnd, v.get("Type").text == "Pages":
		return pdfBranch
	}
	return pdfLeaf
}

// pages counts the leaves of the tree, branch by branch. A branch that is met
// twice would never end.
func (d *pdfDocument) pages(root pdfValue) (count int, err error) {
	type branch struct {
		kids  []pdfValue
		depth int
	}
	todo := []branch{{kids: []pdfValue{root}}}
	for len(todo) > 0 {
		last := &todo[len(todo)-1]
		if len(last.kids) == 0 {
			todo = todo[:len(todo)-1]
			continue
		}
		kid := last.kids[0]
		last.kids = last.kids[1:]
		depth := last.depth + 1
		if depth > maxNesting {
			return 0, overBound("depth of a PDF's page tree", maxNesting)
		}
		leaf, err := d.leaf(kid)
		if err != nil {
			return 0, err
		}
		if leaf {
			if count++; count > maxPages {
				return 0, overBound("pages", maxPages)
			}
			continue
		}
		kids, err := d.kids(kid)
		if err != nil {
			return 0, err
		}
		todo = append(todo, branch{kids: kids, depth: depth})
	}
	return count, nil
}

// leaf tells a page from a branch.
func (d *pdfDocument) leaf(kid pdfValue) (bool, error) {
	if kid.kind == pdfDict {
		return nodeOf(kid) == pdfLeaf, nil
	}
	e := d.find(kid.number)
	if kid.kind != pdfRef || e == nil || e.node == pdfNoNode {
		return false, fmt.Errorf("its page tree names object %d, which is no page", kid.number)
	}
	return e.node == pdfLeaf, nil
}

func (d *pdfDocument) kids(node pdfValue) ([]pdfValue, error) {
	var err error
	if node.kind == pdfRef {
		e := d.find(node.number)
		if e.node == pdfVisited {
			return nil, errors.New("its page tree runs in a circle")
		}
		e.node = pdfVisited
		if node, err = d.object(node.number); err != nil {
			return nil, err
		}
	}
	kids := node.get("Kids")
	if kids.kind == pdfRef {
		kids, err = d.object(kids.number)
	}
	return kids.items, err
}
