package catalog_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConditions(t *testing.T) {
	conditions := map[string]error{
		catalog.NameInput: catalog.ErrInput, catalog.NameNotAllowed: catalog.ErrNotAllowed, catalog.NameNotFound: catalog.ErrNotFound,
		catalog.NameConflict: catalog.ErrConflict, catalog.NameUnavailable: catalog.ErrUnavailable,
	}
	for name := range conditions {
		for _, err := range []error{catalog.NewError(name, "what happened"), fmt.Errorf("layer: %w", catalog.NewError(name, "x")), catalog.NewError(name, "")} {
			for other, condition := range conditions {
				assert.Equal(t, name == other, errors.Is(err, condition), "%v is %s", err, other)
			}
			assert.Equal(t, name, catalog.ErrorName(err))
		}
	}
	assert.NotErrorIs(t, catalog.NewError(catalog.NameInput, "a"), catalog.NewError(catalog.NameInput, "b"), "an error with words is no condition")
	assert.NotErrorIs(t, errors.New("x"), catalog.ErrInput)
}

func TestWrappedErrorsSayWhatCausedThem(t *testing.T) {
	inner := catalog.NewError(catalog.NameTypeError, "/spec must be object")
	err := catalog.WrapError(catalog.NameInput, "Policy check failed", inner)
	assert.EqualError(t, err, "Policy check failed; caused by TypeError: /spec must be object")
	assert.ErrorIs(t, err, catalog.ErrInput)
	assert.ErrorIs(t, err, inner)
	plain := catalog.WrapError(catalog.NameInput, "Read", errors.New("disk"))
	assert.EqualError(t, plain, "Read; caused by Error: disk")
	assert.Equal(t, "InputError: Read; caused by Error: disk", catalog.Describe(plain))
	assert.Equal(t, "Error: disk", catalog.Describe(errors.New("disk")))
	assert.Equal(t, "NotFoundError: layer: x", catalog.Describe(fmt.Errorf("layer: %w", catalog.NewError(catalog.NameNotFound, "x"))),
		"the name is that of the first that has one, the words are all")
}

func TestErrorsAsObjectsAndBack(t *testing.T) {
	err := catalog.WrapError(catalog.NameInput, "outer", catalog.WrapError(catalog.NameTypeError, "middle", errors.New("inner")))
	text := jsonvalue.Append(nil, catalog.ErrorObject(err))
	assert.JSONEq(t, `{"name":"InputError","message":"outer; caused by TypeError: middle; caused by Error: inner",
		"cause":{"name":"TypeError","message":"middle; caused by Error: inner","cause":{"name":"Error","message":"inner"}}}`, string(text))

	o, parseErr := jsonvalue.ParseObject(text)
	require.NoError(t, parseErr)
	back := catalog.ErrorFromObject(o)
	assert.EqualError(t, back, err.Error())
	assert.Equal(t, text, jsonvalue.Append(nil, catalog.ErrorObject(back)), "nothing is lost on the way")
	assert.ErrorIs(t, back, catalog.ErrInput)

	assert.JSONEq(t, `{"name":"Error","message":"plain"}`, string(jsonvalue.Append(nil, catalog.ErrorObject(errors.New("plain")))))
}
