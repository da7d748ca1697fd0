package permission

// Evaluate tells whether criteria hold, asking the function about each rule
// that decides.
func (c *Criteria) Evaluate(holds func(*Rule) (bool, error)) (bool, error) {
	switch {
	case c == nil:
		return false, nil
	case c.Rule != nil:
		return holds(c.Rule)
	case c.Not != nil:
		ok, err := c.Not.Evaluate(holds)
		return !ok && err == nil, err
	case len(c.AllOf) > 0:
		for _, one := range c.AllOf {
			if ok, err := one.Evaluate(holds); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	for _, one := range c.AnyOf {
		if ok, err := one.Evaluate(holds); ok || err != nil {
			return ok && err == nil, err
		}
	}
	return false, nil
}

// Meets tells what a decision says of one resource.
func (d Decision) Meets(holds func(*Rule) (bool, error)) (bool, error) {
	if d.Result == Conditional {
		return d.Criteria.Evaluate(holds)
	}
	return d.Result == Allow, nil
}
