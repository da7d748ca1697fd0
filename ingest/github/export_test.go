package github

// DecodeGraphQL is for a client that tests have.
var DecodeGraphQL = decodeGraphQL
