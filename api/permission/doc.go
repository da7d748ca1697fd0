// Package permission decides what a known caller may do.
//
// A Decider is the one point that every handler asks, in all plugins; Engine
// is the one that is installed. It keeps services to the restrictions of their
// tokens, asks the policy about users, and never asks it about services.
// Handlers get Allow, Deny or a condition; a condition is a criteria tree that
// the owner of the resource turns into a filter or applies to one resource.
//
// The package also answers POST /api/permission/authorize. It knows no
// resource: those who own some bring an Applier for their type.
package permission
