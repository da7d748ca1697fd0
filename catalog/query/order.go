package query

import "strings"

// An Order sorts by the values of one field. Its Field has the casing in which
// it was asked for.
type Order struct {
	Field      string
	Descending bool
}

// Key returns the key of the order's field in the index.
func (o Order) Key() string { return Lower(o.Field) }

// Direction returns asc or desc.
func (o Order) Direction() string {
	if o.Descending {
		return "desc"
	}
	return "asc"
}

// ParseOrderField reads the form <field>, <field>,asc or <field>,desc.
func ParseOrderField(param string) (Order, error) {
	field, direction, given := strings.Cut(param, ",")
	field = trim(field)
	if !given {
		return Order{Field: field}, nil
	}
	return NewOrder(field, trim(direction))
}

// NewOrder returns the order by a field; the direction is asc, desc, or "" for
// asc.
func NewOrder(field, direction string) (Order, error) {
	switch direction {
	case "asc", "":
		return Order{Field: field}, nil
	case "desc":
		return Order{Field: field, Descending: true}, nil
	}
	return Order{}, inputError("Invalid order field order, must be asc or desc")
}

// ParseListOrder reads the form of GET /entities, asc:<field> or desc:<field>.
func ParseListOrder(param string) (Order, error) {
	direction, field, _ := strings.Cut(param, ":")
	if field == "" || direction != "asc" && direction != "desc" {
		return Order{}, inputError(`Invalid order parameter "` + param + `", expected "<asc or desc>:<field name>"`)
	}
	return Order{Field: field, Descending: direction == "desc"}, nil
}
