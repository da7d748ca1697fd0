// Package boltstore keeps in a bbolt file what the crawlers must remember: how
// each provider fared, which listings are held, and which webhooks have come.
//
// It owns the buckets whose names begin with "ingest/" and reads no other. The file is opened and closed
// by the caller, who may keep other things in it. What a method has answered is
// stored: it survives the end of the process. Values are documented here byte
// by byte; records of another format are refused.
//
// # Layout, format 1
//
// All integers are big endian.
//
//	bucket              key                 value
//	ingest/meta         "format"            uint32, 1
//	ingest/records      provider            JSON of provider.Record
//	ingest/held         provider            JSON of provider.Held
//	ingest/deliveries   uint64 sequence     uint32 length, JSON of that length, and the body as it came
//	ingest/ids          source 0x00 id      uint64 sequence
//	ingest/order        uint64 sequence     source 0x00 id
//
// The JSON of a delivery has the keys source, event, id, lane and
// receivedAt, and instance where there is one.
// Sequences count deliveries from 1 on and are never given twice. The ids of
// the last 50,000 deliveries are kept, in the order of their sequences, whether
// or not the delivery is.
//
// A Store is safe for concurrent use.
package boltstore
