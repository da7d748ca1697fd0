// Package boltsettings keeps the settings of package usersettings in a bbolt
// database that it shares with others.
//
// It owns the bucket "user-settings" and nothing else in the file. In it there
// is a bucket for each user who has settings, named by the user's entity ref.
// In that, a key is the length of the setting's bucket as two bytes, high byte
// first, then its bucket, then its key; the value is the JSON of the setting,
// compact, as it is served. The sequence number of a user's bucket is how many
// settings there are in it.
//
// A Store is safe for concurrent use, and durable when it returns.
package boltsettings
