package usersettings

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/greenroom-idp/greenroom/api/auth"
	"github.com/greenroom-idp/greenroom/api/wire"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
)

const (
	// MaxName bounds the bytes of a bucket's name, and of a key.
	MaxName = 1024
	// MaxPerUser bounds how many settings a user may have.
	MaxPerUser = 2000
	// maxLookup bounds how many settings are asked for at once. The frontend
	// asks for 100 at most.
	maxLookup = 1000
)

// A Name says which setting of a user is meant.
type Name struct{ Bucket, Key string }

// ErrFull is returned by a Store that keeps MaxPerUser settings of the user
// already.
var ErrFull = errors.New("the user has too many settings")

// A Store keeps settings. Implementations are safe for concurrent use, and
// what they wrote is durable when they return.
type Store interface {
	// Values returns the values of some settings of a user as JSON, in the
	// order of the names; nil where there is none.
	Values(ctx context.Context, user string, names []Name) ([][]byte, error)
	// Put stores the value of a setting over the one before. An equal value
	// is not written again. The error may be ErrFull.
	Put(ctx context.Context, user string, name Name, value []byte) error
	// Delete forgets a setting; there need not be one.
	Delete(ctx context.Context, user string, name Name) error
}

// Signals tells the browsers of some users that something has changed.
type Signals interface {
	Publish(channel string, entityRefs []string, message any)
}

// channel is where the frontend listens for changed settings.
const channel = "user-settings"

// An API answers for settings.
type API struct {
	store   Store
	signals Signals
}

// New returns an API. Nobody is told of changes if signals is nil.
func New(store Store, signals Signals) *API { return &API{store, signals} }

// MultiGet answers POST /multiget.
func (a *API) MultiGet(c *gin.Context) (any, error) {
	user, err := caller(c)
	if err != nil {
		return nil, err
	}
	names, err := readNames(c)
	if err != nil {
		return nil, err
	}
	values, err := a.store.Values(c.Request.Context(), user, names)
	if err != nil {
		return nil, err
	}
	body := []byte(`{"items":[`)
	for i, v := range values {
		if i > 0 {
			body = append(body, ',')
		}
		if v == nil {
			body = append(body, "null"...)
			continue
		}
		body = append(append(append(body, `{"value":`...), v...), '}')
	}
	return append(body, "]}"...), nil
}

func readNames(c *gin.Context) ([]Name, error) {
	body, _, err := wire.ReadJSON(c.Request, wire.BodyLimit)
	if err != nil {
		return nil, err
	}
	o, _ := body.(*jsonvalue.Object)
	items, ok := o.Value("items").([]any)
	if !ok {
		return nil, wire.InputError("items must be an array of objects with bucket and key")
	}
	if len(items) > maxLookup {
		return nil, wire.InputError("items must be 1000 at most")
	}
	names := make([]Name, len(items))
	for i, item := range items {
		o, _ := item.(*jsonvalue.Object)
		bucket, bucketOK := o.Value("bucket").(string)
		key, keyOK := o.Value("key").(string)
		if !bucketOK || !keyOK {
			return nil, wire.InputError("items must be an array of objects with bucket and key, which are strings")
		}
		names[i] = Name{bucket, key}
	}
	return names, nil
}

// Setting answers GET /buckets/:bucket/keys/*key.
func (a *API) Setting(c *gin.Context) (any, error) {
	user, name, err := target(c)
	if err != nil {
		return nil, err
	}
	values, err := a.store.Values(c.Request.Context(), user, []Name{name})
	if err != nil {
		return nil, err
	}
	if values[0] == nil {
		return nil, wire.NotFound("Unable to find '" + name.Key + "' in bucket '" + name.Bucket + "'")
	}
	return answer(name, values[0]), nil
}

// SetSetting answers PUT /buckets/:bucket/keys/*key.
func (a *API) SetSetting(c *gin.Context) (any, error) {
	user, name, err := target(c)
	if err != nil {
		return nil, err
	}
	body, _, err := wire.ReadJSON(c.Request, wire.BodyLimit)
	if err != nil {
		return nil, err
	}
	o, _ := body.(*jsonvalue.Object)
	value, ok := o.Get("value")
	if !ok {
		return nil, wire.InputError(`Missing required field "value"`)
	}
	data := jsonvalue.Append(nil, value)
	switch err := a.store.Put(c.Request.Context(), user, name, data); {
	case errors.Is(err, ErrFull):
		return nil, wire.InputError("there are too many settings of this user: delete some first")
	case err != nil:
		return nil, err
	}
	a.tell(user, "key-changed", name)
	return answer(name, data), nil
}

// DeleteSetting answers DELETE /buckets/:bucket/keys/*key.
func (a *API) DeleteSetting(c *gin.Context) (any, error) {
	user, name, err := target(c)
	if err != nil {
		return nil, err
	}
	if err := a.store.Delete(c.Request.Context(), user, name); err != nil {
		return nil, err
	}
	a.tell(user, "key-deleted", name)
	return wire.NoContent(), nil
}

func (a *API) tell(user, change string, name Name) {
	if a.signals != nil {
		a.signals.Publish(channel, []string{user}, wire.Obj("type", change, "key", name.Key))
	}
}

func answer(name Name, value []byte) []byte {
	body := jsonvalue.AppendString([]byte(`{"bucket":`), name.Bucket)
	body = jsonvalue.AppendString(append(body, `,"key":`...), name.Key)
	return append(append(append(body, `,"value":`...), value...), '}')
}

// caller returns the entity ref of the user who asks.
func caller(c *gin.Context) (string, error) {
	p := auth.PrincipalFrom(c.Request.Context())
	return p.Subject, p.NeedUser()
}

// target returns who asks, and the setting that the path names.
func target(c *gin.Context) (user string, name Name, err error) {
	if user, err = caller(c); err != nil {
		return "", Name{}, err
	}
	bucket, bucketOK := wire.Param(c, "bucket")
	key, keyOK := wire.Param(c, "key")
	if !bucketOK || !keyOK {
		return "", Name{}, wire.MalformedPath()
	}
	name = Name{bucket, key[1:]} // what a wildcard matches begins with a slash
	if name.Key == "" || len(name.Key) > MaxName || len(name.Bucket) > MaxName || !utf8.ValidString(key) {
		return "", Name{}, wire.InputError("bucket and key must have 1 to 1024 bytes")
	}
	return user, name, nil
}
