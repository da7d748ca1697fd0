// Package engine keeps tasks: it takes them in, queues them, runs them through
// the runner, stores what they do, and lets others watch.
//
// It is the only one that writes to the store of tasks, and owns the folder of
// workspaces. Invariants:
//
//   - What is shown was stored before: an event is handed out, and its watchers
//     are woken, after its transaction was committed.
//   - A task that was taken in ends, or waits for somebody. After the end of the
//     process, however it came, tasks go on at the first step without a
//     recorded end, with the workspace as it was when that step began. A step
//     that was running and must not run twice makes its task fail as
//     interrupted; workspace and journal are kept for a retry.
//   - A step with a recorded end never runs again in the same attempt.
//   - Tasks begin in the order in which they were created, within the limits on
//     how many run at once, in all and of one template. A task that waits costs
//     an entry in a list, no goroutine.
//   - Secrets are stored sealed, and erased when their task ends or is
//     cancelled. A workspace is removed when its task has ended.
//
// Many goroutines may use an Engine. One goroutine commits, for all tasks
// together; each task that runs has one of its own.
package engine
