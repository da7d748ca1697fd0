package engine

import "container/heap"

// A ticket is a task that waits.
type ticket struct {
	id, template string
	turn         uint64
}

// A line holds the tickets of one template, those that came first in front.
type line []ticket

func (l line) Len() int           { return len(l) }
func (l line) Less(i, j int) bool { return l[i].turn < l[j].turn }
func (l line) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push and Pop implement heap.Interface.
func (l *line) Push(x any) { *l = append(*l, x.(ticket)) }
func (l *line) Pop() any {
	last := len(*l) - 1
	t := (*l)[last]
	*l = (*l)[:last]
	return t
}

// A queue says which task begins next: the one that has waited longest among
// those whose template may have one more. It is not safe for concurrent use.
type queue struct {
	// limit is how many tasks may run at once, perTemplate how many of one
	// template; 0 of the latter: as many as limit allows.
	limit, perTemplate int

	lines   map[string]*line
	waiting map[string]ticket
	running map[string]int // by template
	count   int            // of all that run
}

func newQueue(limit, perTemplate int) *queue {
	return &queue{limit: limit, perTemplate: perTemplate, lines: map[string]*line{},
		waiting: map[string]ticket{}, running: map[string]int{}}
}

func (q *queue) push(t ticket) {
	if q.lines[t.template] == nil {
		q.lines[t.template] = &line{}
	}
	heap.Push(q.lines[t.template], t)
	q.waiting[t.id] = t
}

// next takes the next ticket; ok is false if none may begin now. done is to be
// called when the task has ended.
func (q *queue) next() (t ticket, ok bool) {
	if q.count >= q.limit {
		return t, false
	}
	for template, l := range q.lines {
		q.dropTaken(template, l)
		if l.Len() == 0 || q.perTemplate > 0 && q.running[template] >= q.perTemplate {
			continue
		}
		if head := (*l)[0]; !ok || head.turn < t.turn {
			t, ok = head, true
		}
	}
	if ok {
		heap.Pop(q.lines[t.template])
		q.begin(t)
	}
	return t, ok
}

// dropTaken removes tickets that take has taken from the front of a line, and
// lines that are empty.
func (q *queue) dropTaken(template string, l *line) {
	for l.Len() > 0 {
		if head := (*l)[0]; q.waiting[head.id] == head {
			return
		}
		heap.Pop(l)
	}
	delete(q.lines, template)
}

// take takes the ticket of a task out of turn, beyond all limits.
func (q *queue) take(id string) (t ticket, ok bool) {
	if t, ok = q.waiting[id]; ok {
		q.begin(t)
	}
	return t, ok
}

func (q *queue) begin(t ticket) {
	delete(q.waiting, t.id)
	q.running[t.template]++
	q.count++
}

func (q *queue) done(t ticket) {
	q.count--
	if q.running[t.template]--; q.running[t.template] == 0 {
		delete(q.running, t.template)
	}
}
