// Package spelling finds the name that somebody meant who wrote another one.
//
// It owns how far apart two names are, and from where on they have nothing to
// do with each other. What the names name is the business of the caller. Its
// functions are pure, and bounded by not comparing long names.
package spelling
