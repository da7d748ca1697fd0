// Package boltstore keeps tasks in a bbolt file, and implements
// scaffolder/store.
//
// It owns the buckets whose names begin with "scaffolder/" and reads no others;
// the catalog shares the file. Readers never wait for the writer. A format
// version stands in the file; another format is refused.
//
// # Layout, format 1
//
// All integers are big endian. A number is the uint64 of a task, in the order
// of creation from 1; it is the first part of most keys, so that what belongs
// to a task lies together. An id is the 16 bytes of a UUID. Times are int64
// milliseconds since 1970, 0 for none. A text is a uint16 length and UTF-8.
//
//	bucket                   key                          value
//	scaffolder/meta          "format"                     uint32, 1
//	                         "turn"                       uint64, the last that was given out
//	                         "event"                      uint64, the last id that was given out
//	scaffolder/ids           id                           uint64 number
//	scaffolder/tasks         uint64 number                task, see below
//	scaffolder/specs         uint64 number                JSON
//	scaffolder/unfinished    uint64 turn                  uint64 number
//	scaffolder/events        uint64 number, uint64 id     event, see below
//	scaffolder/steps         uint64 number, uint32 index  step, see below
//	scaffolder/checkpoints   uint64 number, key in UTF-8  JSON
//	scaffolder/secrets       uint64 number                sealed, as the engine gave it
//
//	task   16 bytes  id
//	       1 byte    status: 1 open, 2 processing, 3 completed, 4 failed, 5 cancelled, 6 skipped
//	       1 byte    flags: 1 starts over, 2 held
//	       uint64    turn
//	       uint64    id of the completion event, 0 for none
//	       time      created
//	       time      heartbeat
//	       text      created by
//	       text      template ref
//	event  1 byte    type: 1 log, 2 completion, 3 cancelled, 4 recovered
//	       time      created
//	       JSON      body, to the end
//	step   1 byte    status, as in task
//	       1 byte    flags: 1 repeatable
//	       uint32    iterations that have ended
//	       time      of the record
//	       JSON      output, to the end; nothing for none
//
// Numbers are the sequence of the bucket scaffolder/tasks. A row of unfinished
// is there for tasks that are open or processing, and for no others.
package boltstore
