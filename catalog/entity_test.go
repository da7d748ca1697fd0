package catalog_test

import (
	"testing"

	"github.com/greenroom-idp/greenroom/catalog"
	"github.com/greenroom-idp/greenroom/catalog/jsonvalue"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func entity(t *testing.T, text string) catalog.Entity {
	t.Helper()
	o, err := jsonvalue.ParseObject([]byte(text))
	require.NoError(t, err)
	return catalog.Entity{Object: o}
}

// The reference gives the etag of this entity.
func TestHashHasTheCheckValueOfTheReference(t *testing.T) {
	e := entity(t, `{"apiVersion":"backstage.io/v1alpha1","kind":"Component","metadata":{"name":"shop-web","namespace":"default",`+
		`"annotations":{"backstage.io/managed-by-location":"url:https://github.com/acme/shop/tree/main/catalog-info.yaml"},`+
		`"uid":"6f0c5a0e-3c3b-4a6e-9a8e-0d4f5d6c7b8a"},"spec":{"type":"website","lifecycle":"production","owner":"team-a"},`+
		`"relations":[{"type":"ownedBy","targetRef":"group:default/team-a"}]}`)
	assert.Equal(t, "144da614cde8fd2a1ad9289688420773241b6419", catalog.Hash(e.Object))
}

func TestHashGoesByContent(t *testing.T) {
	same := []string{`{"a":1,"b":[true,null,"x"]}`, ` { "b" : [ true , null , "\u0078" ] , "a" : 1.0 } `, `{"b":[],"a":1e0,"b":[true,null,"x"]}`}
	for _, text := range same {
		assert.Equal(t, catalog.Hash(entity(t, same[0]).Object), catalog.Hash(entity(t, text).Object), "%s", text)
	}
	for _, text := range []string{`{"a":1,"b":[true,null,"y"]}`, `{"a":1,"b":[null,true,"x"]}`, `{"a":"1","b":[true,null,"x"]}`,
		`{"a":1}`, `{}`, `{"a":1,"b":[true,null,"x"],"c":null}`} {
		assert.NotEqual(t, catalog.Hash(entity(t, same[0]).Object), catalog.Hash(entity(t, text).Object), "%s", text)
	}
}

func TestEntityAccessors(t *testing.T) {
	e := entity(t, `{"apiVersion":"v1","kind":"Component","metadata":{"name":"Web","namespace":"Shop","annotations":{"a":"b","n":5}},"spec":{"type":"site"}}`)
	assert.Equal(t, "v1", e.APIVersion())
	assert.Equal(t, "Component", e.Kind())
	assert.Equal(t, "Web", e.Name())
	assert.Equal(t, "Shop", e.Namespace())
	assert.Equal(t, catalog.EntityRef{Kind: "Component", Namespace: "Shop", Name: "Web"}, e.Ref(), "the author's casing")
	assert.Equal(t, "component:shop/web", e.Ref().String())
	assert.Equal(t, "b", e.Annotation("a"))
	assert.Empty(t, e.Annotation("n"), "a number is no annotation")
	assert.Equal(t, "site", e.Spec().String("type"))
}

func TestEntityAccessorsOnWhatIsNoEntity(t *testing.T) {
	for _, text := range []string{`{}`, `{"apiVersion":1,"kind":[],"metadata":"x","spec":5}`, `{"metadata":{"name":{},"namespace":"","annotations":[]}}`, `{"metadata":null}`} {
		e := entity(t, text)
		assert.Empty(t, e.APIVersion()+e.Kind()+e.Name()+e.Annotation("a")+e.Spec().String("type"), text)
		assert.Equal(t, catalog.DefaultNamespace, e.Namespace(), text)
		e.SetAnnotation("a", "b")
		assert.Equal(t, "b", e.Annotation("a"), "metadata and annotations are made: %s", text)
	}
	var none catalog.Entity
	assert.Empty(t, none.Kind())
	assert.Equal(t, ":default/", none.Ref().String())
}

func TestCloneSharesNothing(t *testing.T) {
	e := entity(t, `{"kind":"Component","metadata":{"name":"web","annotations":{"a":"b"}},"spec":{"list":[{"x":1}]}}`)
	before := catalog.Hash(e.Object)
	c := e.Clone()
	assert.Equal(t, before, catalog.Hash(c.Object))
	c.SetAnnotation("a", "changed")
	c.Spec().Value("list").([]any)[0].(*jsonvalue.Object).Set("x", "changed")
	c.Set("kind", "changed")
	assert.Equal(t, before, catalog.Hash(e.Object))
}

// The reference gives the name of the Location entity of this target.
func TestGeneratedLocation(t *testing.T) {
	l := catalog.LocationRef{Type: "url", Target: "https://github.com/acme/shop/blob/main/catalog-info.yaml"}
	assert.Equal(t, "generated-cb0a02ed7418408f2f9d82b7e212853b3889fc3c", l.GeneratedName())
	assert.Equal(t, "location:default/generated-cb0a02ed7418408f2f9d82b7e212853b3889fc3c", l.EntityRef())

	own := catalog.LocationEntity(l, "", "", "")
	assert.JSONEq(t, `{"apiVersion":"backstage.io/v1alpha1","kind":"Location","metadata":{"name":"`+l.GeneratedName()+`","annotations":{
		"backstage.io/managed-by-location":"`+l.String()+`","backstage.io/managed-by-origin-location":"`+l.String()+`"}},
		"spec":{"type":"url","target":"`+l.Target+`"}}`, string(jsonvalue.Append(nil, own.Object)))

	emitted := catalog.LocationEntity(l, "optional", "url:https://x/parent.yaml", "file:/root.yaml")
	assert.Equal(t, "url:https://x/parent.yaml", emitted.Annotation(catalog.AnnotationManagedBy))
	assert.Equal(t, "file:/root.yaml", emitted.Annotation(catalog.AnnotationManagedByOrigin))
	assert.Equal(t, "optional", emitted.Spec().String("presence"))
	assert.Equal(t, l.EntityRef(), emitted.Ref().String(), "the name does not depend on who emits it")
}
