package nunjucks

import "slices"

// sortValues sorts stably; undefined comes last and is not compared. After an
// error of compare the order means nothing.
func (rt *runtime) sortValues(elems []Value, compare func(x, y Value) (int, error)) error {
	rest := elems[:0:0]
	n := 0
	for _, v := range elems {
		if v.IsUndefined() {
			rest = append(rest, v)
			continue
		}
		elems[n] = v
		n++
	}
	copy(elems[n:], rest)
	var failed error
	before := func(x, y Value) int {
		if failed != nil {
			return 0
		}
		cmp, err := compare(x, y)
		if err == nil {
			err = rt.spend(1, 0)
		}
		failed = err
		return cmp
	}
	if elems = elems[:n]; n < shortSort {
		sortShort(elems, before)
	} else {
		slices.SortStableFunc(elems, before)
	}
	return failed
}

// shortSort is the length from which on V8 merges.
const shortSort = 64

// sortShort sorts in the steps of V8, on which the result depends where the
// comparison contradicts itself, as that of numbers with words does: it takes
// what is in order, or in reverse order, at the beginning, and puts the others
// in one by one.
func sortShort(elems []Value, compare func(x, y Value) int) {
	if len(elems) < 2 {
		return
	}
	run := 2
	falling := compare(elems[1], elems[0]) < 0
	for run < len(elems) && (compare(elems[run], elems[run-1]) < 0) == falling {
		run++
	}
	if falling {
		slices.Reverse(elems[:run])
	}
	for ; run < len(elems); run++ {
		v := elems[run]
		lo, hi := 0, run
		for lo < hi {
			if mid := lo + (hi-lo)/2; compare(v, elems[mid]) < 0 {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		copy(elems[lo+1:run+1], elems[lo:run])
		elems[lo] = v
	}
}
