package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// constants are the texts that a type of the domain is given by constants, in
// the order of the source, by the type's qualified name.
func constants(root, base string) (map[string][]any, error) {
	found := map[string][]any{}
	err := filepath.WalkDir(root, func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		for _, d := range parsed.Decls {
			if group, ok := d.(*ast.GenDecl); ok && group.Tok == token.CONST {
				collect(group, path.Join(base, filepath.ToSlash(folder)), found)
			}
		}
		return nil
	})
	return found, err
}

func collect(group *ast.GenDecl, pkg string, found map[string][]any) {
	for _, s := range group.Specs {
		spec, _ := s.(*ast.ValueSpec)
		of, typed := spec.Type.(*ast.Ident)
		if !typed {
			continue
		}
		for _, v := range spec.Values {
			if literal, ok := v.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, _ := strconv.Unquote(literal.Value) // the parser has accepted it
				found[pkg+"."+of.Name] = append(found[pkg+"."+of.Name], text)
			}
		}
	}
}
