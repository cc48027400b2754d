package projections

import "reflect"

// arrays turns rows into the arguments of a statement that unnests one array
// a column, in the order of the struct's fields.
func arrays[T any](rows []T) []any {
	t := reflect.TypeFor[T]()
	arguments := make([]any, t.NumField())
	for i := range arguments {
		column := reflect.MakeSlice(reflect.SliceOf(t.Field(i).Type), len(rows), len(rows))
		for j := range rows {
			column.Index(j).Set(reflect.ValueOf(&rows[j]).Elem().Field(i))
		}
		arguments[i] = column.Interface()
	}
	return arguments
}
