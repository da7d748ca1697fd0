package gitlab

import (
	"context"
	"slices"
	"strings"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/ingest/provider"
)

// handle acts upon what happens to groups and users. What an event leaves open,
// such as all members of a group, is read from the host.
func (d *OrgData) handle(ctx context.Context, e *event, to Sink) error {
	if host := e.host(); !concernsPeople(e.Name) || host != "" && host != d.opts.Host {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events++
	// With relations besides the direct one, a member of one group is a member
	// of others, which the event does not name.
	if d.model == nil || len(d.opts.relations()) > 1 {
		d.model = nil
		return to.Trigger(d.Name())
	}
	before := d.model.clone()
	if err := d.update(ctx, e); err != nil {
		d.model = nil // nobody knows how much of it has been done
		return err
	}
	if err := to.Apply(ctx, d.Name(), d.change(before, d.model)); err != nil {
		d.model = nil
		return err
	}
	return nil
}

// concernsPeople tells whether an event can change a user or a group.
func concernsPeople(name string) bool {
	switch name {
	case "group_create", "group_destroy", "group_rename", "user_create", "user_destroy",
		"user_add_to_group", "user_remove_from_group", "user_update_for_group",
		"subgroup_create", "subgroup_destroy", "user_rename":
		return true
	}
	return false
}

// clone copies the model so far that an update of one does not show in the
// other.
func (m *model) clone() *model {
	out := &model{users: make(map[int64]*user, len(m.users)), groups: make(map[int64]*group, len(m.groups))}
	for id, u := range m.users {
		out.users[id] = u
	}
	for id, g := range m.groups {
		out.groups[id] = g
	}
	return out
}

// update brings the model in line with an event.
func (d *OrgData) update(ctx context.Context, e *event) error {
	switch e.Name {
	case "group_destroy", "subgroup_destroy":
		delete(d.model.groups, e.GroupID)
		return nil
	case "user_destroy":
		delete(d.model.users, e.UserID)
		return nil
	case "user_create", "user_rename":
		return d.reloadUser(ctx, e.UserID)
	case "user_add_to_group":
		if d.model.users[e.UserID] == nil {
			if err := d.reloadUser(ctx, e.UserID); err != nil {
				return err
			}
		}
		return d.reloadGroup(ctx, e.GroupID)
	case "group_rename":
		return d.renameGroup(ctx, e.GroupID)
	}
	return d.reloadGroup(ctx, e.GroupID)
}

func (d *OrgData) reloadUser(ctx context.Context, id int64) error {
	if id == 0 || d.opts.RestrictUsersToGroup {
		return nil // the next poll tells whether he is in the group
	}
	u, found, err := d.oneUser(ctx, id)
	if err != nil {
		return err
	}
	if found {
		if found, err = d.opts.wantsUser(u); err != nil {
			return err
		}
	}
	if !found {
		delete(d.model.users, id)
		return nil
	}
	d.model.users[id] = u
	return nil
}

func (d *OrgData) reloadGroup(ctx context.Context, id int64) error {
	if id == 0 {
		return nil
	}
	g, found, err := d.oneGroup(ctx, id)
	if err != nil {
		return err
	}
	if found {
		if found, err = d.opts.wantsGroup(g.FullPath); err != nil {
			return err
		}
	}
	if !found {
		delete(d.model.groups, id)
		return nil
	}
	d.model.groups[id] = g
	return nil
}

// renameGroup reads a group anew and moves those below it, whose paths begin
// with its own.
func (d *OrgData) renameGroup(ctx context.Context, id int64) error {
	old := d.model.groups[id]
	if err := d.reloadGroup(ctx, id); err != nil {
		return err
	}
	now := d.model.groups[id]
	if old == nil || now == nil || old.FullPath == now.FullPath {
		return nil
	}
	for other, g := range d.model.groups {
		rest, below := strings.CutPrefix(g.FullPath, old.FullPath+"/")
		if !below {
			continue
		}
		moved := *g
		moved.FullPath = now.FullPath + "/" + rest
		d.model.groups[other] = &moved
	}
	return nil
}

// change returns what is different between the entities of two models.
func (d *OrgData) change(before, after *model) provider.Change {
	was := map[string]string{}
	for _, e := range d.entities(before) {
		was[e.Entity.Ref().String()] = catalog.Hash(e.Entity.Object)
	}
	var c provider.Change
	for _, e := range d.entities(after) {
		ref := e.Entity.Ref().String()
		if was[ref] != catalog.Hash(e.Entity.Object) {
			c.Added = append(c.Added, e)
		}
		delete(was, ref)
	}
	for ref := range was {
		c.Removed = append(c.Removed, ref)
	}
	slices.Sort(c.Removed)
	return c
}
