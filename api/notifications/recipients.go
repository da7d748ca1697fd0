package notifications

import (
	"context"
	"strings"

	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog"
)

// A Catalog knows entities.
type Catalog interface {
	// Relations returns the relations of an entity by its canonical ref, none
	// if there is no such entity.
	Relations(ctx context.Context, entityRef string) ([]catalog.Relation, error)
}

const (
	// maxRecipients bounds how many users one notification goes to. More are
	// reached by sending to everybody.
	maxRecipients = 20_000
	// maxVisited bounds how many entities are asked for members and owners.
	maxVisited = 10_000
)

// recipients returns the canonical refs of the users that some entities stand
// for, each once: users themselves, the members of groups and of the groups
// below them, and what owns anything else. Excluded entities count for
// nothing.
func recipients(ctx context.Context, c Catalog, refs, excluded []string) ([]string, error) {
	w := walk{seen: map[string]bool{}}
	for _, ref := range excluded {
		parsed, err := catalog.ParseEntityRef(ref, "", "")
		if err != nil {
			return nil, err
		}
		w.seen[parsed.String()] = true
	}
	for _, ref := range refs {
		parsed, err := catalog.ParseEntityRef(ref, "", "")
		if err != nil {
			return nil, err
		}
		w.visit(parsed.String())
	}
	for i := 0; i < len(w.others); i++ {
		if i >= maxVisited || len(w.users) > maxRecipients {
			return nil, wire.InputError("the notification has too many recipients: send it to everybody, or to fewer")
		}
		relations, err := c.Relations(ctx, w.others[i])
		if err != nil {
			return nil, err
		}
		w.follow(w.others[i], relations)
	}
	return w.users, nil
}

// A walk goes from entities to users.
type walk struct {
	seen          map[string]bool
	users, others []string
}

func (w *walk) visit(ref string) {
	switch {
	case w.seen[ref]:
		return
	case strings.HasPrefix(ref, "user:"):
		w.users = append(w.users, ref)
	default:
		w.others = append(w.others, ref)
	}
	w.seen[ref] = true
}

func (w *walk) follow(ref string, relations []catalog.Relation) {
	group := strings.HasPrefix(ref, "group:")
	for _, r := range relations {
		switch {
		case group && r.Type == "hasMember" && strings.HasPrefix(r.Target, "user:"),
			group && r.Type == "parentOf":
			w.visit(r.Target)
		case !group && r.Type == "ownedBy":
			w.visit(r.Target)
			return // an entity has one owner
		}
	}
}
